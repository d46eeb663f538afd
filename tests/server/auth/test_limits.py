"""How often is too often, counted in a real Redis."""

import asyncio
import time

import pytest
from redis.asyncio import Redis

from server.auth import limits as limits_module
from server.auth.keys import ApiKey
from server.auth.limits import PREFIX, Limits
from server.auth.places import Places
from server.errors import Problem
from tests.server.auth.given import api_key

pytestmark = pytest.mark.integration

KEY = api_key(per_minute=3, at_once=2)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is not taken for a slow Redis."""
    monkeypatch.setattr(limits_module, "ASK_SECS", 5.0)


def limits(redis: Redis, address_per_minute: int = 3) -> Limits:
    return Limits(redis=redis, places=Places(redis), address_per_minute=address_per_minute)


async def refusal(limits: Limits, key: ApiKey = KEY) -> Problem | None:
    try:
        async with limits.place(key):
            return None
    except Problem as problem:
        return problem


async def test_so_many_requests_of_a_key_in_a_minute_and_no_more(redis: Redis):
    kept = limits(redis)
    said = [await refusal(kept) for _ in range(4)]
    assert [problem and problem.status for problem in said] == [None, None, None, 429]


async def test_who_is_refused_is_told_the_limit_and_when_there_is_room(redis: Redis):
    kept = limits(redis)
    for _ in range(3):
        await refusal(kept)
    problem = await refusal(kept)
    assert problem is not None
    assert problem.retry_after_secs is not None
    assert 1 <= problem.retry_after_secs <= 60
    assert problem.headers == {
        "RateLimit-Limit": "3",
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": str(problem.retry_after_secs),
        "RateLimit-Policy": "3;w=60",
    }


async def test_servers_that_share_a_redis_share_the_count(redis: Redis):
    said = [await refusal(limits(redis)) for _ in range(4)]
    assert [problem is None for problem in said] == [True, True, True, False]


async def test_each_key_has_a_count_of_its_own(redis: Redis):
    kept = limits(redis)
    for _ in range(4):
        await refusal(kept)
    assert await refusal(kept, api_key(id="bbbbbbbbbbbb", per_minute=3)) is None


async def test_so_many_requests_of_a_key_at_once_and_no_more(redis: Redis):
    kept = limits(redis)
    async with kept.place(KEY), kept.place(KEY):
        problem = await refusal(kept)
    assert problem is not None
    assert (problem.status, problem.retry_after_secs, problem.title) == (429, 1, "Too many requests at once")


async def test_a_place_is_free_again_however_the_request_ends(redis: Redis):
    kept, key = limits(redis), api_key(at_once=1)
    with pytest.raises(RuntimeError):
        async with kept.place(key):
            raise RuntimeError
    held = asyncio.Event()

    async def hold() -> None:
        async with kept.place(key):
            held.set()
            await asyncio.sleep(3600)

    task = asyncio.create_task(hold())
    await held.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await refusal(kept, key) is None


async def test_who_was_refused_for_the_rate_holds_no_place(redis: Redis):
    kept, key = limits(redis), api_key(per_minute=1, at_once=1)
    await refusal(kept, key)
    await refusal(kept, key)
    again = api_key(per_minute=50, at_once=1)
    assert await refusal(kept, again) is None


async def test_an_address_has_a_limit_of_its_own(redis: Redis):
    kept = limits(redis)
    for _ in range(3):
        await kept.address("192.0.2.1")
    with pytest.raises(Problem, match="Too many requests"):
        await kept.address("192.0.2.1")
    await kept.address("192.0.2.2")


async def test_nothing_of_an_address_is_left_after_two_minutes(redis: Redis):
    await limits(redis).address("192.0.2.1")
    keys = [key async for key in redis.scan_iter(f"{PREFIX}:*")]
    assert keys
    assert all([0 < await redis.ttl(key) <= 120 for key in keys])


async def test_without_redis_requests_go_on():
    redis = Redis.from_url("redis://127.0.0.1:1")
    kept = limits(redis, address_per_minute=1)
    for _ in range(5):
        assert await refusal(kept, api_key(per_minute=1, at_once=1)) is None
        await kept.address("192.0.2.1")
    await redis.aclose()


async def test_a_redis_that_hangs_is_waited_for_once_and_not_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits_module, "ASK_SECS", 0.05)
    asked = 0

    async def hang(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await asyncio.sleep(3600)

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    redis = Redis.from_url(f"redis://127.0.0.1:{port}")
    kept = limits(redis)
    started = time.monotonic()
    for _ in range(100):
        assert await refusal(kept) is None
    assert time.monotonic() - started < 1.0
    assert asked <= 2
    await redis.aclose()
    server.close()
