-- The calls, and what was said in them turn by turn. A call that runs has no end; one whose end nobody saw is closed
-- later, as lost.

create table calls (
    id text primary key,
    channel text not null,
    collection text not null,
    persona text not null,
    language text not null,
    caller text,
    metadata jsonb not null,
    created_at timestamptz not null,
    connected_at timestamptz,
    ended_at timestamptz,
    end_reason text,
    turns integer not null,
    bots integer not null,
    check ((ended_at is null) = (end_reason is null))
);

create index calls_created on calls (created_at, id);
create index calls_caller on calls (caller, created_at, id) where caller is not null;
create index calls_running on calls (created_at) where ended_at is null;

-- A turn has the number that the bot gave it, the call's first bot being 1: a report that comes twice is one row.
-- Sources: [{document_id, title, heading_path, quote, start, end, page}]. Latencies: seconds by stage, of an answer.
create table turns (
    call_id text not null references calls (id) on delete cascade,
    bot integer not null,
    number integer not null,
    role text not null check (role in ('user', 'assistant')),
    text text not null,
    started_at timestamptz not null,
    ended_at timestamptz not null,
    interrupted boolean not null,
    sources jsonb not null,
    latencies jsonb not null,
    primary key (call_id, bot, number)
);

-- Postgres' statistics of a column are values out of it, and stay when a row goes.
alter table calls
    alter column id set statistics 0,
    alter column caller set statistics 0,
    alter column metadata set statistics 0;
alter table turns
    alter column call_id set statistics 0,
    alter column text set statistics 0,
    alter column sources set statistics 0;
