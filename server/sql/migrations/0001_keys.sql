-- The keys of those who use the HTTP interface. A key is shown once, as it is made; what is kept is its secret's SHA-256.

create table api_keys (
    id text primary key,
    name text not null,
    hash bytea not null unique check (length(hash) = 32),
    scopes text[] not null check (cardinality(scopes) > 0),
    per_minute integer not null check (per_minute > 0),
    at_once integer not null check (at_once > 0),
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz
);
