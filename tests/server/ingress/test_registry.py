"""Sessions' states in a real Redis, and what is said when there is none."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis

from server.errors import Problem
from server.ingress.registry import LEASE_SECS, Registry

pytestmark = pytest.mark.integration

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    redis = Redis.from_url(redis_url, decode_responses=True)
    yield redis
    await redis.aclose()


async def test_a_new_session_waits_for_its_caller(redis: Redis):
    registry = Registry(redis=redis)
    await registry.create("new", now=NOW)
    state = await registry.read("new")
    assert state is not None
    assert (state.state, state.created_at, state.turns, state.end_reason) == ("created", NOW, 0, None)


async def test_a_session_that_ended_keeps_what_was_counted(redis: Redis):
    registry = Registry(redis=redis)
    await registry.create("over", now=NOW)
    await registry.connected("over")
    await asyncio.gather(*(registry.turn("over") for _ in range(3)))
    await registry.ended("over", reason="idle")
    state = await registry.read("over")
    assert state is not None
    assert (state.state, state.turns, state.end_reason) == ("ended", 3, "idle")


async def test_a_record_is_forgotten_in_the_end(redis: Redis):
    await Registry(redis=redis).create("leased", now=NOW)
    assert 0 < await redis.ttl("jarvis:session:leased") <= LEASE_SECS


async def test_a_session_that_never_was_is_not_known(redis: Redis):
    assert await Registry(redis=redis).read("never") is None


@pytest.mark.parametrize(
    "act",
    [
        lambda r: r.create("x", now=NOW),
        lambda r: r.connected("x"),
        lambda r: r.turn("x"),
        lambda r: r.ended("x", reason="idle"),
        lambda r: r.read("x"),
    ],
    ids=["create", "connected", "turn", "ended", "read"],
)
async def test_a_redis_that_is_gone_is_a_problem_that_passes(act: Callable[[Registry], Awaitable[object]]):
    gone = Redis.from_url("redis://127.0.0.1:1")
    with pytest.raises(Problem) as problem:
        await act(Registry(redis=gone))
    await gone.aclose()
    assert (problem.value.status, problem.value.retry_after_secs) == (503, 5)
