-- The documents: collections, chunks, windows, vectors, jobs and gaps.

create extension if not exists vector;

-- Loads the extension's library, without which its settings are unknown.
select '[1]'::halfvec;

create table if not exists knowledge_meta (
    key text primary key,
    value text not null
);

-- Numbers every write. Writers take a lock until they commit, so whoever has read up to a number has missed none below it.
create sequence if not exists knowledge_changes;

create table if not exists collections (
    no integer generated always as identity unique,
    name text primary key check (name ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    title_weight real not null default 0,
    title_similarity real,
    chunks_per_title real
);

create table if not exists documents (
    id uuid primary key default gen_random_uuid(),
    collection text not null references collections (name),
    source text not null,
    origin text,
    title text not null,
    content_hash text not null default '',
    text text not null default '',
    page_starts integer[] not null default array[]::integer[],
    version integer not null default 0,
    status text not null check (status in ('indexing', 'ready', 'failed', 'retired')),
    error text,
    effective_date date,
    is_date_given boolean not null default false,
    access text[] not null default array[]::text[],
    indexed_at timestamptz,
    change bigint not null,
    unique (collection, source)
);

create index if not exists documents_change on documents (change);
create index if not exists documents_hash on documents (collection, content_hash);

create table if not exists removed_documents (
    document_id uuid primary key,
    collection text not null,
    change bigint not null,
    removed_at timestamptz not null default now()
);

create index if not exists removed_documents_change on removed_documents (change);

create table if not exists chunks (
    id bigint generated always as identity primary key,
    document_id uuid not null references documents (id) on delete cascade,
    ordinal integer not null,
    heading_path text[] not null,
    text text not null,
    start_offset integer not null,
    end_offset integer not null check (end_offset > start_offset),
    page integer,
    unique (document_id, ordinal)
);

-- The parts of a chunk that are embedded; offsets are characters of the chunk.
create table if not exists windows (
    id bigint generated always as identity primary key,
    chunk_id bigint not null references chunks (id) on delete cascade,
    start_offset integer not null,
    end_offset integer not null check (end_offset > start_offset)
);

create index if not exists windows_chunk on windows (chunk_id);

create table if not exists embedding_models (
    no integer generated always as identity unique,
    model_id text primary key,
    dimensions integer not null,
    is_current boolean not null default false
);

create unique index if not exists embedding_models_current on embedding_models (is_current) where is_current;

-- Each model has a table of vectors, and in it each collection a partition with an HNSW index of its own, so that neither
-- another collection nor another model thins out what a search finds.
create or replace function make_vectors(model_no integer, dimensions integer) returns void language plpgsql as $$
begin
    execute format(
        'create table if not exists %1$I (
            window_id bigint not null references windows (id) on delete cascade,
            chunk_id bigint not null,
            document_id uuid not null,
            collection text not null,
            live boolean not null,
            access text[] not null,
            effective_date date,
            embedding halfvec(%2$s) not null,
            primary key (collection, window_id)
        ) partition by list (collection)',
        'vectors_' || model_no, dimensions
    );
    execute format('create index if not exists %1$I on %2$I using hnsw (embedding halfvec_cosine_ops)',
        'vectors_' || model_no || '_embedding', 'vectors_' || model_no);
    execute format('create index if not exists %1$I on %2$I (window_id)',
        'vectors_' || model_no || '_window', 'vectors_' || model_no);
    execute format('create index if not exists %1$I on %2$I (chunk_id)',
        'vectors_' || model_no || '_chunk', 'vectors_' || model_no);
    execute format('create index if not exists %1$I on %2$I (document_id)',
        'vectors_' || model_no || '_document', 'vectors_' || model_no);
    perform make_partition(model_no, c.no, c.name) from collections c;
end
$$;

create or replace function make_partition(model_no integer, collection_no integer, collection text) returns void
language plpgsql as $$
begin
    execute format('create table if not exists %I partition of %I for values in (%L)',
        'vectors_' || model_no || '_' || collection_no, 'vectors_' || model_no, collection);
end
$$;

create table if not exists index_jobs (
    id uuid primary key default gen_random_uuid(),
    collection text not null,
    request jsonb not null,
    state text not null default 'queued' check (state in ('queued', 'running', 'done', 'failed')),
    error text,
    is_expanded boolean not null default false,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    ended_at timestamptz
);

create index if not exists index_jobs_state on index_jobs (state);

create table if not exists index_items (
    job_id uuid not null references index_jobs (id) on delete cascade,
    ordinal integer not null,
    kind text not null check (kind in ('file', 'url', 'upload', 'vanished')),
    source text not null,
    details jsonb not null,
    content bytea,
    state text not null default 'pending'
        check (state in ('pending', 'added', 'changed', 'unchanged', 'moved', 'removed', 'failed')),
    reason text,
    primary key (job_id, ordinal)
);

-- In the order in which they are done.
create index if not exists index_items_pending on index_items (job_id, (kind = 'vanished'), ordinal)
    where state = 'pending';

create table if not exists gaps (
    id uuid primary key default gen_random_uuid(),
    collection text not null references collections (name),
    question text not null,
    embedding halfvec,
    model_id text,
    passages jsonb not null,
    count integer not null default 1,
    first_at timestamptz not null default now(),
    last_at timestamptz not null default now(),
    state text not null default 'open' check (state in ('open', 'closed')),
    document_id uuid references documents (id) on delete set null
);

create unique index if not exists gaps_question on gaps (collection, lower(question));
