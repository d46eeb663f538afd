-- The knowledge tables. Every statement creates only what is missing, so this file can be run again at any time.

create extension if not exists vector;

create table if not exists knowledge_meta (
    key text primary key,
    value text not null
);

create table if not exists documents (
    id uuid primary key default gen_random_uuid(),
    collection text not null default 'default',
    source text not null,
    title text not null,
    content_hash text not null,
    text text not null,
    version integer not null default 1,
    status text not null check (status in ('indexed', 'failed')),
    error text,
    indexed_at timestamptz not null default now(),
    unique (collection, source)
);

create table if not exists chunks (
    id bigint generated always as identity primary key,
    document_id uuid not null references documents (id) on delete cascade,
    ordinal integer not null,
    section integer not null,
    heading_path text[] not null,
    text text not null,
    start_offset integer not null,
    end_offset integer not null check (end_offset > start_offset),
    embedding halfvec(384) not null,
    unique (document_id, ordinal)
);

create index if not exists chunks_embedding on chunks using hnsw (embedding halfvec_cosine_ops);

-- Loads the extension's library, without which the settings of the function below are unknown.
select '[1]'::halfvec;

-- The chunks nearest to a question. A filter would starve a plain HNSW scan; an iterative one goes on until it has enough.
create or replace function nearest_chunks(question halfvec, how_many integer)
returns table (chunk_id bigint, similarity double precision)
language sql stable
set hnsw.iterative_scan = 'strict_order'
set hnsw.ef_search = 100
as $$
    select id, 1 - (embedding <=> question)
    from chunks
    order by embedding <=> question
    limit how_many
$$;
