-- What the server keeps: keys and calls.

-- begin_call --
insert into calls (
    id, channel, collection, persona, language, caller, metadata, created_at, connected_at, ended_at, end_reason, turns,
    bots, cost_usd, priced
) values (
    %(id)s, %(channel)s, %(collection)s, %(persona)s, %(language)s, %(caller)s, %(metadata)s, %(created_at)s,
    %(connected_at)s, %(ended_at)s, %(end_reason)s, %(turns)s, %(bots)s,
    %(cost_usd)s, %(priced)s
)
on conflict (id) do nothing;

-- update_call --
update calls set
    connected_at = coalesce(connected_at, %(connected_at)s::timestamptz),
    turns = greatest(turns, %(turns)s),
    bots = greatest(bots, %(bots)s),
    cost_usd = greatest(cost_usd, %(cost_usd)s),
    priced = priced and %(priced)s,
    -- A call that was thought lost was not.
    ended_at = case when end_reason = 'lost' then %(ended_at)s::timestamptz else coalesce(ended_at, %(ended_at)s) end,
    end_reason = case when end_reason = 'lost' then %(end_reason)s::text else coalesce(end_reason, %(end_reason)s) end
where id = %(id)s;

-- add_turn --
insert into turns (call_id, bot, number, role, text, started_at, ended_at, interrupted, sources, unsupported, latencies)
select
    %(call_id)s, %(bot)s, %(number)s, %(role)s, %(text)s, %(started_at)s, %(ended_at)s, %(interrupted)s, %(sources)s,
    %(unsupported)s, %(latencies)s
-- A call that was erased meanwhile stays so.
where exists (select from calls where id = %(call_id)s)
on conflict (call_id, bot, number) do nothing;

-- add_message --
insert into messages (call_id, bot, number, name, contact, text, left_at)
select %(call_id)s, %(bot)s, %(number)s, %(name)s, %(contact)s, %(text)s, %(left_at)s
-- A call that was erased meanwhile stays so.
where exists (select from calls where id = %(call_id)s)
on conflict (call_id, bot, number) do nothing;

-- list_messages --
select call_id, name, contact, text, left_at from messages order by left_at desc, call_id, number limit %(limit)s;

-- list_calls --
select c.*, t.*
from (
    select * from calls
    where (%(id)s::text is null or id = %(id)s)
        and (%(caller)s::text is null or caller = %(caller)s)
        and (%(since)s::timestamptz is null or created_at >= %(since)s)
        and (%(end_reason)s::text is null or end_reason = %(end_reason)s)
        and (%(before_at)s::timestamptz is null or (created_at, id) < (%(before_at)s, %(before_id)s::text))
    order by created_at desc, id desc
    limit %(limit)s
) c
cross join lateral (
    select
        count(*) filter (where interrupted) as interruptions,
        coalesce(sum(unsupported), 0)::integer as unsupported,
        percentile_disc(0.5) within group (order by (latencies ->> 'v2v')::double precision) as v2v_p50_secs,
        max((latencies ->> 'v2v')::double precision) as v2v_max_secs
    from turns where call_id = c.id
) t
order by c.created_at desc, c.id desc;

-- list_turns --
select
    row_number() over (order by bot, number) as number, role, text, started_at, ended_at, interrupted, sources,
    unsupported, latencies
from turns where call_id = %(call_id)s
order by bot, turns.number;

-- cost_since --
select coalesce(sum(cost_usd), 0) as usd from calls where created_at >= %(since)s;

-- ids_beginning --
select id from calls where starts_with(id, %(prefix)s) order by id limit %(limit)s;

-- ids_of_caller --
select id from calls where caller = %(caller)s order by created_at limit %(limit)s;

-- erase_calls --
delete from calls where id = any(%(ids)s) returning id;

-- try_lock_sweep --
select pg_try_advisory_xact_lock(hashtext('server_sweep')) as locked;

-- erase_calls_before --
delete from calls where id in (
    select id from calls where created_at < %(before)s and ended_at is not null order by created_at limit %(limit)s
)
returning id;

-- close_lost_calls --
update calls set
    ended_at = greatest(created_at, connected_at, (select max(t.ended_at) from turns t where t.call_id = calls.id)),
    end_reason = 'lost'
where ended_at is null and created_at < %(before)s and id <> all(%(running)s)
returning id;

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

-- vector_version --
select coalesce(installed_version, default_version) as version, extract(epoch from now())::float as clock
from pg_available_extensions where name = 'vector';
