-- lock_schema --
select pg_advisory_xact_lock(hashtext('knowledge_schema'));

-- search_settings --
select
    set_config('hnsw.ef_search', '100', false),
    set_config('hnsw.iterative_scan', 'strict_order', false),
    set_config('hnsw.max_scan_tuples', '100000', false),
    set_config('plan_cache_mode', 'force_generic_plan', false),
    set_config('jit', 'off', false);

-- make_migrations --
create table if not exists migrations (
    package text not null,
    name text not null,
    applied_at timestamptz not null default now(),
    primary key (package, name)
);

-- migrations --
select name from migrations where package = %(package)s;

-- add_migration --
insert into migrations (package, name) values (%(package)s, %(name)s);

-- lock_writes --
select pg_advisory_xact_lock(hashtext('knowledge_write'));

-- try_lock_indexer --
select pg_try_advisory_lock(hashtext('knowledge_indexer')) as locked;

-- notify_changed --
select pg_notify('knowledge_changed', %(collection)s);

-- listen_changed --
listen knowledge_changed;

-- notify_searchable --
select pg_notify('knowledge_searchable', %(collection)s);

-- listen_searchable --
listen knowledge_searchable;

-- make_collection --
insert into collections (name) values (%(name)s) on conflict (name) do nothing returning no;

-- make_partitions_of --
select make_partition(m.no, c.no, c.name) from embedding_models m cross join collections c where c.name = %(name)s;

-- collections --
select name, title_weight, title_similarity, chunks_per_title from collections order by name;

-- set_title_weight --
update collections
set title_weight = %(title_weight)s, title_similarity = %(title_similarity)s, chunks_per_title = %(chunks_per_title)s
where name = %(collection)s;

-- begin_document --
insert into documents (collection, source, title, status, change)
values (%(collection)s, %(source)s, %(title)s, 'indexing', nextval('knowledge_changes'))
on conflict (collection, source) do update set status = 'indexing'
where documents.status <> 'retired';

-- upsert_document --
insert into documents (
    collection, source, origin, title, content_hash, text, page_starts, version, status, effective_date, is_date_given,
    access, indexed_at, change
)
values (
    %(collection)s, %(source)s, %(origin)s, %(title)s, %(content_hash)s, %(text)s, %(page_starts)s, 1, 'ready',
    %(effective_date)s, %(is_date_given)s, coalesce(%(access)s::text[], array[]::text[]), now(), nextval('knowledge_changes')
)
on conflict (collection, source) do update set
    origin = coalesce(excluded.origin, documents.origin),
    title = excluded.title,
    content_hash = excluded.content_hash,
    text = excluded.text,
    page_starts = excluded.page_starts,
    version = documents.version + 1,
    status = case when documents.status = 'retired' then 'retired' else 'ready' end,
    error = null,
    effective_date = case
        when documents.is_date_given and not excluded.is_date_given then documents.effective_date
        else excluded.effective_date
    end,
    is_date_given = documents.is_date_given or excluded.is_date_given,
    access = coalesce(%(access)s::text[], documents.access),
    indexed_at = now(),
    change = excluded.change
returning id, access, effective_date, status <> 'retired' as live;

-- fail_document --
insert into documents (collection, source, title, status, error, change)
values (%(collection)s, %(source)s, %(title)s, 'failed', %(error)s, nextval('knowledge_changes'))
on conflict (collection, source) do update set
    status = case when documents.status = 'retired' then 'retired' else 'failed' end,
    error = excluded.error;

-- settle_document --
update documents set status = case when status = 'retired' then 'retired' else 'ready' end, error = null
where collection = %(collection)s and source = %(source)s and (status in ('indexing', 'failed') or error is not null);

-- move_document --
update documents set
    source = %(new_source)s,
    status = case when status = 'retired' then 'retired' else 'ready' end,
    error = null,
    change = nextval('knowledge_changes')
where collection = %(collection)s and source = %(source)s
returning id;

-- delete_placeholder --
delete from documents where collection = %(collection)s and source = %(source)s and version = 0;

-- change_document --
update documents set
    status = case
        when %(retired)s::boolean is null then status
        when %(retired)s then 'retired'
        when status <> 'retired' then status
        when error is not null then 'failed'
        else 'ready'
    end,
    is_date_given = is_date_given or %(set_date)s,
    effective_date = case when %(set_date)s then %(effective_date)s::date else effective_date end,
    access = coalesce(%(access)s::text[], access),
    change = nextval('knowledge_changes')
where id = %(document_id)s
returning collection, status <> 'retired' as live, effective_date, access;

-- mark_vectors --
update {vectors} set live = %(live)s, effective_date = %(effective_date)s, access = %(access)s
where document_id = %(document_id)s;

-- delete_chunks --
delete from chunks where document_id = %(document_id)s;

-- insert_chunk --
insert into chunks (document_id, ordinal, heading_path, text, start_offset, end_offset, page)
values (%(document_id)s, %(ordinal)s, %(heading_path)s, %(text)s, %(start)s, %(end)s, %(page)s)
returning id;

-- insert_window --
insert into windows (chunk_id, start_offset, end_offset) values (%(chunk_id)s, %(start)s, %(end)s) returning id;

-- insert_vector --
insert into {vectors} (window_id, chunk_id, document_id, collection, live, access, effective_date, embedding)
values (
    %(window_id)s, %(chunk_id)s, %(document_id)s, %(collection)s, %(live)s, %(access)s, %(effective_date)s,
    %(embedding)s::halfvec
)
on conflict (collection, window_id) do nothing;

-- delete_document --
with gone as (
    delete from documents where id = %(document_id)s returning id, collection
)
insert into removed_documents (document_id, collection, change)
select id, collection, nextval('knowledge_changes') from gone
returning collection;

-- document_id --
select id from documents where collection = %(collection)s and source = %(source)s;

-- list_documents --
select
    d.id, d.collection, d.source, d.title, d.content_hash, d.version, d.status, d.error, d.effective_date, d.access,
    d.indexed_at, (select count(*) from chunks c where c.document_id = d.id) as chunks
from documents d
where (%(collection)s::text is null or d.collection = %(collection)s)
    and (%(status)s::text is null or d.status = %(status)s)
    and (%(after)s::text is null or d.source > %(after)s)
order by d.source, d.collection
limit %(limit)s;

-- get_document --
select
    d.id, d.collection, d.source, d.title, d.content_hash, d.version, d.status, d.error, d.effective_date, d.access,
    d.indexed_at, (select count(*) from chunks c where c.document_id = d.id) as chunks
from documents d
where d.id = %(document_id)s;

-- document_text --
select text from documents where id = %(document_id)s;

-- content_hashes --
select source, content_hash, status from documents where collection = %(collection)s;

-- sources_of --
select source from documents where collection = %(collection)s and origin = %(origin)s;

-- find_by_hash --
select source, title from documents
where collection = %(collection)s and content_hash = %(content_hash)s and version > 0;

-- all_texts --
-- Of too many, those that were indexed last.
select title, text
from (
    select
        collection, source, title, text,
        sum(length(text)) over (order by indexed_at desc, id rows unbounded preceding) as characters
    from documents
    where status <> 'retired' and version > 0
) latest
where characters <= %(max_characters)s
order by collection, source;

-- count --
select
    (select count(*) from documents where status <> 'retired' and version > 0) as documents,
    (select count(*) from chunks) as chunks;

-- changed_documents --
-- What an index of words must know: documents that changed after a number, and those that are gone.
select
    d.id, d.collection, d.change, d.version > 0 and d.status <> 'retired' as live, d.title, d.access, d.effective_date
from documents d
where d.change > %(after)s and d.version > 0
union all
select r.document_id, r.collection, r.change, false, '', array[]::text[], null
from removed_documents r
where r.change > %(after)s
order by change
limit %(limit)s;

-- windows_of --
select
    c.document_id, c.id as chunk_id, w.id as window_id, c.heading_path,
    substr(c.text, w.start_offset + 1, w.end_offset - w.start_offset) as text
from chunks c
join windows w on w.chunk_id = c.id
where c.document_id = any(%(document_ids)s)
order by w.id;

-- titles --
select d.title, c.id as chunk_id
from documents d
join chunks c on c.document_id = d.id
where d.collection = %(collection)s and d.status <> 'retired' and d.version > 0
order by d.title;

-- models --
select no, model_id, dimensions, is_current from embedding_models order by no;

-- add_model --
insert into embedding_models (model_id, dimensions, is_current)
values (%(model_id)s, %(dimensions)s, not exists (select from embedding_models))
on conflict (model_id) do nothing;

-- make_vectors --
select make_vectors(no, dimensions) from embedding_models where model_id = %(model_id)s;

-- unset_current --
update embedding_models set is_current = false where is_current;

-- set_current --
update embedding_models set is_current = true where model_id = %(model_id)s;

-- drop_vectors --
drop table if exists {vectors};

-- delete_model --
delete from embedding_models where model_id = %(model_id)s;

-- windows_without_vector --
select
    w.id as window_id, c.id as chunk_id, d.id as document_id, d.collection, d.title, c.heading_path,
    substr(c.text, w.start_offset + 1, w.end_offset - w.start_offset) as text,
    d.status <> 'retired' as live, d.access, d.effective_date
from windows w
join chunks c on c.id = w.chunk_id
join documents d on d.id = c.document_id
where not exists (select from {vectors} v where v.window_id = w.id)
order by w.id
limit %(limit)s;

-- count_windows_without_vector --
select count(*) as missing from windows w where not exists (select from {vectors} v where v.window_id = w.id);

-- present_windows --
select w.id as window_id, d.status <> 'retired' as live, d.access, d.effective_date
from windows w
join chunks c on c.id = w.chunk_id
join documents d on d.id = c.document_id
where w.id = any(%(window_ids)s);

-- analyze_vectors --
analyze {vectors};

-- nearest --
-- The limit is a constant, so that the plan that all searches share is made for it.
select chunk_id, 1 - (embedding <=> %(question)s::halfvec) as similarity
from {vectors}
where collection = %(collection)s
    and live
    and (effective_date is null or effective_date <= current_date)
    and (access = array[]::text[] or access && %(access)s::text[])
order by embedding <=> %(question)s::halfvec
limit 100;

-- nearest_exactly --
-- Adding nought keeps the index out of it, which stops early where a filter leaves little.
select chunk_id, 1 - (embedding <=> %(question)s::halfvec) as similarity
from {vectors}
where collection = %(collection)s
    and live
    and (effective_date is null or effective_date <= current_date)
    and (access = array[]::text[] or access && %(access)s::text[])
order by (embedding <=> %(question)s::halfvec) + 0
limit 100;

-- nearest_of_other_titles --
-- For a sample of a collection's windows, the cosine to the nearest window under another title.
select max(other.similarity) as similarity
from (
    select v.embedding, d.title from {vectors} v join documents d on d.id = v.document_id
    where v.collection = %(collection)s and v.live
    order by hashint8(v.window_id)
    limit %(sample)s
) sample
cross join lateral (
    select 1 - (near.embedding <=> sample.embedding) as similarity, near.document_id
    from {vectors} near
    where near.collection = %(collection)s and near.live
    order by near.embedding <=> sample.embedding
    limit %(neighbours)s
) other
join documents theirs on theirs.id = other.document_id and theirs.title <> sample.title
group by sample.embedding;

-- passages --
select
    c.id as chunk_id, d.id as document_id, d.source, d.title, c.heading_path, c.text, c.start_offset as start,
    c.end_offset as "end", c.page, d.effective_date
from chunks c
join documents d on d.id = c.document_id
where c.id = any(%(chunk_ids)s)
    and d.collection = %(collection)s
    and d.status <> 'retired'
    and (d.effective_date is null or d.effective_date <= current_date)
    and (d.access = array[]::text[] or d.access && %(access)s::text[]);

-- similarity_of_chunks --
select chunk_id, max(1 - (embedding <=> %(question)s::halfvec)) as similarity
from {vectors}
where chunk_id = any(%(chunk_ids)s)
group by chunk_id;

-- add_job --
insert into index_jobs (collection, request) values (%(collection)s, %(request)s) returning id;

-- add_item --
insert into index_items (job_id, ordinal, kind, source, details, content)
values (%(job_id)s, %(ordinal)s, %(kind)s, %(source)s, %(details)s, %(content)s);

-- get_job --
select id, collection, request, state, error, is_expanded, created_at, started_at, ended_at
from index_jobs where id = %(job_id)s;

-- unfinished_jobs --
select id, collection from index_jobs where state in ('queued', 'running') order by created_at;

-- start_job --
update index_jobs set state = 'running', started_at = coalesce(started_at, now()) where id = %(job_id)s;

-- expanded_job --
update index_jobs set is_expanded = true where id = %(job_id)s;

-- end_job --
update index_jobs set
    state = case
        when %(error)s::text is not null
            or exists (select from index_items where job_id = %(job_id)s and state = 'failed') then 'failed'
        else 'done'
    end,
    error = %(error)s,
    ended_at = now()
where id = %(job_id)s;

-- database_id --
insert into knowledge_meta (key, value) values ('database', gen_random_uuid()::text)
on conflict (key) do update set value = knowledge_meta.value
returning value;

-- forget_removals --
delete from removed_documents where removed_at < now() - make_interval(days => %(days)s);

-- forget_jobs --
delete from index_jobs where ended_at < now() - make_interval(days => %(days)s);

-- job_counts --
select state, count(*) as items from index_items where job_id = %(job_id)s group by state;

-- job_failures --
select source, reason from index_items where job_id = %(job_id)s and state = 'failed' order by ordinal limit %(limit)s;

-- last_item --
select count(*) as items from index_items where job_id = %(job_id)s;

-- next_item --
select ordinal, kind, source, details, content from index_items
where job_id = %(job_id)s and state = 'pending'
order by (kind = 'vanished'), ordinal
limit 1;

-- vanished_items --
select source from index_items where job_id = %(job_id)s and kind = 'vanished' and state = 'pending';

-- end_removal --
update index_items set state = %(state)s
where job_id = %(job_id)s and kind = 'vanished' and source = %(source)s and state = 'pending';

-- end_item --
update index_items set state = %(state)s, reason = %(reason)s, content = null
where job_id = %(job_id)s and ordinal = %(ordinal)s;

-- add_gap --
insert into gaps (collection, question, embedding, model_id, passages)
values (%(collection)s, %(question)s, %(embedding)s::halfvec, %(model_id)s, %(passages)s)
on conflict (collection, lower(question)) do update set
    embedding = coalesce(excluded.embedding, gaps.embedding),
    model_id = coalesce(excluded.model_id, gaps.model_id),
    count = gaps.count + 1, last_at = now(), passages = excluded.passages, state = 'open', document_id = null
returning id, count;

-- nearest_gap --
select id, 1 - (embedding <=> %(embedding)s::halfvec) as similarity from gaps
where collection = %(collection)s and model_id = %(model_id)s
order by embedding <=> %(embedding)s::halfvec
limit 1;

-- repeat_gap --
update gaps set
    count = count + 1, last_at = now(), passages = %(passages)s, state = 'open', document_id = null
where id = %(gap_id)s
returning id;

-- add_asking --
insert into gap_askings (gap_id, call_id, question, embedding, model_id)
values (%(gap_id)s, %(call_id)s, %(question)s, %(embedding)s::halfvec, %(model_id)s)
on conflict (gap_id, call_id) do update set
    question = excluded.question, embedding = excluded.embedding, model_id = excluded.model_id,
    count = gap_askings.count + 1, asked_at = now();

-- gaps_of_calls --
select id from gaps where id in (select gap_id from gap_askings where call_id = any(%(call_ids)s))
order by id
for update;

-- gaps_asked_before --
select id from gaps where id in (
    select gap_id from gap_askings where asked_at < %(before)s order by asked_at limit %(limit)s
)
order by id
for update;

-- forget_askings_of_calls --
delete from gap_askings where call_id = any(%(call_ids)s);

-- forget_askings_before --
delete from gap_askings where gap_id = any(%(gap_ids)s) and asked_at < %(before)s;

-- reword_gap --
update gaps g set question = a.question, embedding = a.embedding, model_id = a.model_id
from (
    select s.question, s.embedding, s.model_id from gap_askings s join gaps own on own.id = s.gap_id
    where s.gap_id = %(gap_id)s and not exists (
        select from gaps other
        where other.collection = own.collection and lower(other.question) = lower(s.question) and other.id <> own.id
    )
    order by s.asked_at desc
    limit 1
) a
where g.id = %(gap_id)s and not exists (
    select from gap_askings s where s.gap_id = g.id and lower(s.question) = lower(g.question)
);

-- drop_unasked_gap --
delete from gaps g
where g.id = %(gap_id)s and not exists (
    select from gap_askings s where s.gap_id = g.id and lower(s.question) = lower(g.question)
);

-- recount_gap --
update gaps g set count = a.count, last_at = a.last_at
from (select sum(count) as count, max(asked_at) as last_at from gap_askings where gap_id = %(gap_id)s) a
where g.id = %(gap_id)s;

-- list_gaps --
select id, collection, question, passages, count, first_at, last_at, state, document_id from gaps
where (%(collection)s::text is null or collection = %(collection)s) and (%(state)s::text is null or state = %(state)s)
order by state desc, count desc, last_at desc
limit %(limit)s;

-- get_gap --
select id, collection, question, passages, count, first_at, last_at, state, document_id from gaps where id = %(gap_id)s;

-- close_gap --
update gaps set state = 'closed', document_id = %(document_id)s where id = %(gap_id)s returning id;
