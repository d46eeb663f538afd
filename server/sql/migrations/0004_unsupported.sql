-- How many sentences of an answer were not said, since the passages that they cite don't say so.

alter table turns add column unsupported integer not null default 0 check (unsupported >= 0);
