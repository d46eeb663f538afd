"""Requests at once, counted in a real Redis."""

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from server.auth import places as places_module
from server.auth.places import PREFIX, Places

pytestmark = pytest.mark.integration


async def take(places: Places, *, at_once: int = 2, key_id: str = "a") -> str | None:
    place = places.name()
    return place if await places.take(key_id, place, at_once=at_once) else None


async def test_so_many_places_and_no_more_are_taken(redis: Redis):
    places = Places(redis)
    assert [await take(places) is not None for _ in range(3)] == [True, True, False]


async def test_servers_that_share_a_redis_share_the_places(redis: Redis):
    one, other = Places(redis), Places(redis)
    assert await take(one)
    assert await take(other)
    assert not await take(one)


async def test_each_key_has_places_of_its_own(redis: Redis):
    places = Places(redis)
    assert await take(places, at_once=1, key_id="a")
    assert await take(places, at_once=1, key_id="b")


async def test_a_place_is_free_at_once_for_the_server_that_gave_it_back(redis: Redis):
    places = Places(redis)
    for _ in range(20):
        place = await take(places, at_once=1)
        assert place is not None
        places.give_back("a", place)


async def test_a_place_that_was_given_back_is_free_for_other_servers(redis: Redis):
    one = Places(redis)
    async with one.running():
        place = await take(one, at_once=1)
        assert place is not None
        one.give_back("a", place)
    assert await take(Places(redis), at_once=1)


async def test_a_place_that_may_have_been_taken_is_free_for_the_next(redis: Redis):
    places = Places(redis)
    place = await take(places, at_once=1)
    assert place is not None
    places.drop("a", place)
    assert await take(places, at_once=1)


async def test_a_place_lapses_with_its_server(redis: Redis, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(places_module, "LEASE_MS", 0)
    assert await take(Places(redis), at_once=1)
    assert await take(Places(redis), at_once=1)


async def test_a_place_that_is_held_is_renewed(redis: Redis):
    places = Places(redis)
    place = await take(places, at_once=1)
    assert place is not None
    await redis.zadd(PREFIX + "a", {place: 1})
    await places.renew()
    assert not await take(Places(redis), at_once=1)


async def test_a_place_that_was_given_back_is_not_renewed(redis: Redis):
    places = Places(redis)
    async with places.running():
        place = await take(places, at_once=1)
        assert place is not None
        places.give_back("a", place)
    await places.renew()
    assert await redis.zcard(PREFIX + "a") == 0


async def test_nothing_is_left_in_redis_once_nobody_asks_any_more(redis: Redis):
    assert await take(Places(redis))
    assert 0 < await redis.pttl(PREFIX + "a") <= places_module.LEASE_MS


async def test_a_redis_that_is_away_is_said_to_who_takes_and_to_nobody_else():
    redis = Redis.from_url("redis://127.0.0.1:1")
    places = Places(redis)
    async with places.running():
        with pytest.raises((RedisError, OSError)):
            await places.take("a", "b", at_once=1)
        await places.renew()
        places.give_back("a", "b")
    await redis.aclose()
