-- Who asked a gap's question, and in which words: a gap goes when nobody is left who asked it. A call's id is empty where
-- the question did not come from one.

create table gap_askings (
    gap_id uuid not null references gaps (id) on delete cascade,
    call_id text not null,
    question text not null,
    embedding halfvec,
    model_id text,
    count integer not null default 1,
    asked_at timestamptz not null default now(),
    primary key (gap_id, call_id)
);

create index gap_askings_call on gap_askings (call_id);
create index gap_askings_asked on gap_askings (asked_at);

insert into gap_askings (gap_id, call_id, question, embedding, model_id, count, asked_at)
select id, '', question, embedding, model_id, count, last_at from gaps;

-- Postgres' statistics of a column are values out of it, and stay when a row goes.
alter table gaps alter column question set statistics 0, alter column embedding set statistics 0;
alter table gap_askings
    alter column call_id set statistics 0,
    alter column question set statistics 0,
    alter column embedding set statistics 0;
