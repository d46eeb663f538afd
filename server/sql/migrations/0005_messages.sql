-- What callers asked to be told to the operator's people; erased with its call. The number is the bot's, as of turns.

create table messages (
    call_id text not null references calls (id) on delete cascade,
    bot integer not null,
    number integer not null,
    name text not null,
    contact text not null,
    text text not null,
    left_at timestamptz not null,
    primary key (call_id, bot, number)
);

create index messages_left on messages (left_at);

-- Postgres' statistics of a column are values out of it, and stay when a row goes.
alter table messages
    alter column call_id set statistics 0,
    alter column name set statistics 0,
    alter column contact set statistics 0,
    alter column text set statistics 0;
