-- What the server keeps: keys and calls.

-- add_key --
insert into api_keys (id, name, hash, scopes, per_minute, at_once, expires_at)
values (%(id)s, %(name)s, %(hash)s, %(scopes)s, %(per_minute)s, %(at_once)s, %(expires_at)s)
returning *;

-- keys --
select * from api_keys order by created_at, id;

-- key --
select * from api_keys where id = %(id)s;

-- revoke_key --
update api_keys set revoked_at = coalesce(revoked_at, now()) where id = %(id)s returning id;

-- note_key_used --
update api_keys set last_used_at = now() where id = %(id)s;
