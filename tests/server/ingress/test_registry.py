"""What all servers know of calls and of each other, in a real Redis, and what is done without one."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis

from server.ingress.registry import (
    LEASE_SECS,
    SERVER_LEASE_SECS,
    Registry,
    RegistryGoneError,
    ServerRecord,
    SessionRecord,
)

pytestmark = pytest.mark.integration

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
STORY = [{"role": "user", "content": "Do you rent tandems?"}, {"role": "assistant", "content": "We do."}]


@pytest.fixture
def registry(redis: Redis) -> Registry:
    return Registry(redis=redis)


@pytest.fixture
async def without_redis() -> AsyncIterator[Registry]:
    gone = Redis.from_url("redis://127.0.0.1:1")
    yield Registry(redis=gone)
    await gone.aclose()


def a_session(session_id: str = "a", *, age_secs: int = 0) -> SessionRecord:
    return SessionRecord(id=session_id, state="connected", created_at=NOW - timedelta(seconds=age_secs), server="s1")


def a_server(server_id: str = "s1") -> ServerRecord:
    return ServerRecord(id=server_id, address="127.0.0.1:7860", state="ready", sessions=0, warm_bots=1, started_at=NOW)


async def test_a_saved_session_is_read_as_it_was(registry: Registry):
    saved = a_session().model_copy(update={"pc_ids": ["p"], "floor": "bot", "v2v_ms": 640, "turns": 3})
    await registry.save([saved])
    assert await registry.read("a") == saved


async def test_a_session_whose_server_no_longer_renews_it_is_forgotten(registry: Registry, redis: Redis):
    await registry.save([a_session()])
    assert 0 < await redis.ttl("jarvis:session:a") <= LEASE_SECS


async def test_the_sessions_of_all_servers_are_listed_oldest_first(registry: Registry, redis: Redis):
    await registry.save([a_session("young"), a_session("old", age_secs=9)])
    assert [each.id for each in await Registry(redis=redis).sessions()] == ["old", "young"]


async def test_a_session_whose_lease_ran_out_is_not_listed(registry: Registry, redis: Redis):
    await registry.save([a_session("a"), a_session("b")])
    await redis.delete("jarvis:session:a")
    assert [each.id for each in await registry.sessions()] == ["b"]
    assert await redis.smembers("jarvis:sessions") == {"b"}  # pyright: ignore[reportGeneralTypeIssues]


async def test_a_session_that_ended_is_known_for_a_while_but_not_listed(registry: Registry):
    await registry.save([a_session()])
    await registry.ended(a_session().model_copy(update={"state": "ended", "end_reason": "idle"}))
    record = await registry.read("a")
    assert record is not None
    assert (record.state, record.end_reason, await registry.sessions()) == ("ended", "idle", [])


async def test_of_a_session_that_is_forgotten_nothing_is_left(registry: Registry, redis: Redis):
    await registry.save([a_session("a"), a_session("b")])
    await registry.tell("a", STORY)
    await registry.claim("a", server_id="s1")
    await registry.forget(["a"])
    assert set(await redis.keys()) == {"jarvis:session:b", "jarvis:sessions"}
    assert await redis.smembers("jarvis:sessions") == {"b"}  # pyright: ignore[reportGeneralTypeIssues]


async def test_where_redis_is_gone_nothing_is_said_to_be_forgotten(without_redis: Registry):
    await without_redis.forget([])
    with pytest.raises(RegistryGoneError):
        await without_redis.forget(["a"])


async def test_a_session_that_never_was_is_not_known(registry: Registry):
    assert await registry.read("never") is None


async def test_a_record_of_another_version_is_not_known(registry: Registry, redis: Redis):
    await redis.set("jarvis:session:a", json.dumps({"id": "a", "shape": "old"}))
    assert await registry.read("a") is None


async def test_a_story_is_kept_while_its_call_goes_on(registry: Registry, redis: Redis):
    await registry.tell("a", STORY[:1])
    await registry.tell("a", STORY)
    assert await registry.story("a") == STORY
    assert 0 < await redis.ttl("jarvis:story:a") <= LEASE_SECS


async def test_what_was_said_is_forgotten_with_the_calls_end(registry: Registry, redis: Redis):
    await registry.tell("a", STORY)
    await registry.ended(a_session())
    assert await redis.exists("jarvis:story:a") == 0


async def test_a_story_that_redis_lost_is_told_again(registry: Registry, redis: Redis):
    await registry.tell("a", STORY)
    await redis.flushdb()
    await registry.keep_stories([("a", STORY), ("b", [])])
    assert await registry.story("a") == STORY


async def test_a_server_is_seen_while_it_says_that_it_lives(registry: Registry, redis: Redis):
    await registry.announce(a_server())
    assert await registry.servers() == [a_server()]
    assert 0 < await redis.ttl("jarvis:server:s1") <= SERVER_LEASE_SECS


async def test_a_server_that_ended_is_not_seen(registry: Registry):
    await registry.announce(a_server())
    await registry.retract("s1")
    assert await registry.servers() == []


async def test_only_one_server_revives_a_lost_call(registry: Registry):
    claims = [await registry.claim("a", server_id=server) for server in ("s1", "s2")]
    assert claims == [True, False]


async def test_without_redis_nothing_that_is_written_fails(without_redis: Registry):
    await without_redis.save([a_session()])
    await without_redis.tell("a", STORY)
    await without_redis.keep_stories([("a", STORY)])
    await without_redis.ended(a_session())
    await without_redis.announce(a_server())
    await without_redis.retract("s1")
    assert await without_redis.claim("a", server_id="s1") is False


@pytest.mark.parametrize("what", ["sessions", "servers"])
async def test_without_redis_nothing_is_known(without_redis: Registry, what: str):
    with pytest.raises(RegistryGoneError):
        await getattr(without_redis, what)()
