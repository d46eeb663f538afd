-- What a call cost, in USD at list price; `priced` is false where something of it has no known price.

alter table calls
    add column cost_usd numeric not null default 0 check (cost_usd >= 0),
    add column priced boolean not null default true;
