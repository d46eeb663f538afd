"""The line of callers who wait, in a real Redis."""

import asyncio
from collections.abc import Iterator

import pytest
from loguru import logger
from redis.asyncio import Redis

from server.ingress.waiting import LEASE_SECS, LINE, TICKET, Place, WaitingLine

pytestmark = pytest.mark.integration


@pytest.fixture
def line(redis: Redis) -> WaitingLine:
    return WaitingLine(redis=redis, length=3)


async def joined(line: WaitingLine) -> Place:
    place = await line.join()
    assert place is not None
    return place


async def test_callers_stand_in_the_order_in_which_they_came(line: WaitingLine):
    assert [(await joined(line)).position for _ in range(3)] == [1, 2, 3]


async def test_two_servers_have_one_line(line: WaitingLine, redis: Redis):
    await joined(line)
    assert (await joined(WaitingLine(redis=redis, length=3))).position == 2


async def test_a_full_line_takes_nobody(line: WaitingLine):
    for _ in range(3):
        await joined(line)
    assert await line.join() is None


async def test_two_servers_that_ask_at_once_do_not_overfill_it(line: WaitingLine, redis: Redis):
    other = WaitingLine(redis=redis, length=3)
    places = await asyncio.gather(*(each.join() for each in (line, other) * 5))
    assert sorted(place.position for place in places if place is not None) == [1, 2, 3]


async def test_a_place_that_became_free_is_given_at_the_end(line: WaitingLine):
    first, second, _ = [await joined(line) for _ in range(3)]
    await line.leave(first.ticket)
    assert (await joined(line)).position == 3
    assert await line.renew(second.ticket) == Place(second.ticket, 1)


async def test_lost_places_make_room(line: WaitingLine, redis: Redis):
    for _ in range(3):
        await redis.delete(TICKET + (await joined(line)).ticket)
    assert (await joined(line)).position == 1


async def test_who_left_is_forgotten(line: WaitingLine, redis: Redis):
    place = await joined(line)
    await line.leave(place.ticket)
    assert await line.renew(place.ticket) is None
    assert not await redis.exists(TICKET + place.ticket)


async def test_who_is_served_makes_all_others_move_up(line: WaitingLine):
    first, second = await joined(line), await joined(line)
    await line.leave(first.ticket)
    assert await line.renew(second.ticket) == Place(second.ticket, 1)


async def test_who_asks_again_keeps_the_place(line: WaitingLine, redis: Redis):
    place = await joined(line)
    await redis.expire(TICKET + place.ticket, 1)
    assert await line.renew(place.ticket) == place
    assert await redis.ttl(TICKET + place.ticket) > LEASE_SECS - 5


async def test_who_no_longer_asks_is_not_waited_for(line: WaitingLine, redis: Redis):
    gone, waits = await joined(line), await joined(line)
    await redis.delete(TICKET + gone.ticket)  # as its expiry does
    assert await line.renew(waits.ticket) == Place(waits.ticket, 1)
    assert await line.renew(gone.ticket) is None
    assert await line.count() == 1


async def test_who_joins_and_never_asks_again_drops_out_by_the_clock_of_redis(line: WaitingLine, redis: Redis):
    place = await joined(line)
    assert 0 < await redis.ttl(TICKET + place.ticket) <= LEASE_SECS


async def test_those_who_are_gone_are_not_counted(line: WaitingLine, redis: Redis):
    gone, _ = await joined(line), await joined(line)
    await redis.delete(TICKET + gone.ticket)  # as its expiry does
    assert await line.count() == 1


async def test_a_ticket_that_never_was_has_no_place(line: WaitingLine):
    assert await line.renew("made up") is None


async def test_without_redis_nobody_waits():
    gone = Redis.from_url("redis://127.0.0.1:1", decode_responses=True)
    line = WaitingLine(redis=gone, length=3)
    assert (await line.join(), await line.renew("x"), await line.count()) == (None, None, 0)
    await line.leave("x")
    await gone.aclose()


@pytest.fixture
def logged() -> Iterator[list[str]]:
    lines: list[str] = []
    sink = logger.add(lines.append, format="{message}")
    yield lines
    logger.remove(sink)


async def test_that_redis_is_gone_is_logged_once(logged: list[str]):
    gone = Redis.from_url("redis://127.0.0.1:1", decode_responses=True)
    line = WaitingLine(redis=gone, length=3)
    for _ in range(3):
        await line.renew("x")
    await gone.aclose()
    assert len(logged) == 1


async def test_each_outage_is_logged(line: WaitingLine, redis: Redis, logged: list[str]):
    for _ in range(2):
        await redis.set(LINE, "no line")  # Redis refuses, as it does while it is out of order
        await line.count()
        await redis.delete(LINE)
        await line.count()
    assert len(logged) == 2
