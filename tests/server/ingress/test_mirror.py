"""The registry follows what happens, and fills again after a loss."""

import asyncio
from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis

from server.ingress.live import LiveSession
from server.ingress.mirror import Mirror
from server.ingress.registry import Registry, ServerRecord, SessionRecord
from server.ingress.scripted import ScriptedBot

pytestmark = pytest.mark.integration

NOW = datetime(2030, 1, 2, tzinfo=UTC)
SERVER = ServerRecord(id="s1", address="a:1", state="ready", sessions=1, warm_bots=1, started_at=NOW)
STORY = [{"role": "user", "content": "Do you rent tandems?"}]


@pytest.fixture
def registry(redis: Redis) -> Registry:
    return Registry(redis=redis)


def a_session() -> LiveSession:
    return LiveSession(id="a", bot=ScriptedBot("b"), server="s1", created_at=NOW, story=list(STORY))


async def test_what_changed_is_written_once(registry: Registry):
    mirror, session = Mirror(registry=registry), a_session()
    mirror.touch(session)
    mirror.tell(session)
    await mirror.flush()
    assert (await registry.read("a"), await registry.story("a")) == (session.record(), STORY)


async def test_a_call_that_ended_is_written_as_ended_whatever_changed_before(registry: Registry):
    mirror, session = Mirror(registry=registry), a_session()
    mirror.touch(session)
    mirror.ended(session.record().model_copy(update={"state": "ended", "end_reason": "idle"}))
    await mirror.flush()
    record = await registry.read("a")
    assert record is not None
    assert (record.state, await registry.story("a")) == ("ended", [])


async def test_a_redis_that_lost_everything_is_filled_again(registry: Registry, redis: Redis):
    mirror, session = Mirror(registry=registry), a_session()
    await mirror.renew(live=[session], server=SERVER)
    await redis.flushdb()
    await mirror.renew(live=[session], server=SERVER)
    assert [each.id for each in await registry.sessions()] == ["a"]
    assert (await registry.servers(), await registry.story("a")) == ([SERVER], STORY)


async def test_the_calls_of_other_servers_are_counted(registry: Registry):
    theirs = [SessionRecord(id=each, state="connected", created_at=NOW, server="s2") for each in "bc"]
    await registry.save(theirs)
    mirror = Mirror(registry=registry)
    await mirror.renew(live=[a_session()], server=SERVER)
    assert mirror.elsewhere == 2


async def test_it_ends_even_where_something_changes_at_that_moment(registry: Registry):
    mirror, session = Mirror(registry=registry), a_session()
    running = asyncio.create_task(mirror.run(live=lambda: [], server=lambda: SERVER))
    mirror.touch(session)
    async with asyncio.timeout(5):
        while await registry.read("a") is None:  # noqa: ASYNC110
            await asyncio.sleep(0)
    for _ in range(20):
        await asyncio.sleep(0)  # until it waits for the next change
    mirror.wake()
    await asyncio.sleep(0)
    running.cancel()
    done, _ = await asyncio.wait({running}, timeout=5)
    assert done
