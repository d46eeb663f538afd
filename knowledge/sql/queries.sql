-- lock_schema --
select pg_advisory_xact_lock(hashtext('knowledge_schema'));

-- embedding_model --
select value from knowledge_meta where key = 'embedding_model';

-- set_embedding_model --
insert into knowledge_meta (key, value) values ('embedding_model', %(model_id)s)
on conflict (key) do update set value = excluded.value;

-- upsert_document --
insert into documents (collection, source, title, content_hash, text, status, error)
values (%(collection)s, %(source)s, %(title)s, %(content_hash)s, %(text)s, %(status)s, %(error)s)
on conflict (collection, source) do update set
    title = excluded.title,
    content_hash = excluded.content_hash,
    text = excluded.text,
    status = excluded.status,
    error = excluded.error,
    version = documents.version + 1,
    indexed_at = now()
returning id;

-- delete_chunks --
delete from chunks where document_id = %(document_id)s;

-- insert_chunk --
insert into chunks (document_id, ordinal, section, heading_path, text, start_offset, end_offset, embedding)
values (
    %(document_id)s, %(ordinal)s, %(section)s, %(heading_path)s, %(text)s, %(start)s, %(end)s, %(embedding)s::halfvec
);

-- delete_document --
delete from documents where collection = %(collection)s and source = %(source)s
returning id;

-- notify_changed --
select pg_notify('knowledge_changed', %(document_id)s);

-- listen_changed --
listen knowledge_changed;

-- list_documents --
select d.id, d.source, d.title, d.content_hash, d.version, d.error, count(c.id) as chunks
from documents d
left join chunks c on c.document_id = d.id
where d.collection = %(collection)s
group by d.id
order by d.source;

-- content_hashes --
select source, content_hash from documents where collection = %(collection)s;

-- all_texts --
select title, text from documents where status = 'indexed' order by collection, source;

-- all_chunks --
select c.id, d.title, c.heading_path, c.text
from chunks c
join documents d on d.id = c.document_id
order by c.id;

-- count --
select
    (select count(*) from documents where status = 'indexed') as documents,
    (select count(*) from chunks) as chunks;

-- update_embedding --
update chunks set embedding = %(embedding)s::halfvec where id = %(chunk_id)s;

-- similarities --
select chunk_id, similarity from nearest_chunks(%(question)s::halfvec, %(how_many)s)
union
select id, 1 - (embedding <=> %(question)s::halfvec) from chunks where id = any(%(also)s);

-- passages --
-- A section that is short enough is returned whole, a longer one only by the chunk that was found in it.
select
    hit.id as chunk_id,
    d.id as document_id,
    d.source,
    d.title,
    hit.heading_path,
    substr(d.text, span.first + 1, span.past - span.first) as text,
    span.first as start,
    span.past as "end"
from chunks hit
join documents d on d.id = hit.document_id
cross join lateral (
    select min(start_offset) as first, max(end_offset) as past
    from chunks
    where document_id = hit.document_id and section = hit.section
) whole
cross join lateral (
    select
        case when whole.past - whole.first <= %(max_characters)s then whole.first else hit.start_offset end as first,
        case when whole.past - whole.first <= %(max_characters)s then whole.past else hit.end_offset end as past
) span
where hit.id = any(%(chunk_ids)s);
