"""Who is let in, and who waits."""

import asyncio

import pytest
from redis.asyncio import Redis

from server.errors import Problem
from server.ingress import admission
from server.ingress.admission import HostMeter
from server.ingress.lines import Lines
from server.ingress.mirror import Mirror
from server.ingress.registry import Registry
from server.ingress.schemas import CreateSession, Waiting
from server.ingress.waiting import WaitingLine

pytestmark = pytest.mark.integration

WAIT = CreateSession(wait=True)


class Host:
    """A host with so many lines; `elsewhere` are taken by other servers."""

    def __init__(self, redis: Redis, *, max_sessions: int = 1, elsewhere: int = 0, queue: int = 2):
        self.mirror = Mirror(registry=Registry(redis=redis))
        self.mirror.elsewhere = elsewhere
        self.lines = Lines(
            meter=HostMeter(),
            mirror=self.mirror,
            waiting=WaitingLine(redis=redis, length=queue) if queue else None,
            limits=admission.Limits(max_sessions=max_sessions, max_cpu_percent=100, bot_memory_mb=0),
        )

    async def ask(self, wanted: CreateSession) -> Waiting | None:
        async with self.lines.taken(wanted, live=(), now_mono=0.0) as waiting:
            return waiting

    async def waits(self, wanted: CreateSession = WAIT) -> Waiting:
        place = await self.ask(wanted)
        assert place is not None
        return place

    async def refused(self, wanted: CreateSession) -> int:
        with pytest.raises(Problem) as problem:
            await self.ask(wanted)
        return problem.value.status


async def test_a_caller_is_let_in_where_there_is_room(redis: Redis):
    assert await Host(redis).ask(CreateSession()) is None


async def test_calls_of_other_servers_take_lines_too(redis: Redis):
    assert await Host(redis, elsewhere=1).refused(CreateSession()) == 503


async def test_a_call_that_is_just_starting_takes_a_line(redis: Redis):
    host = Host(redis)
    async with host.lines.taken(CreateSession(), live=(), now_mono=0.0):
        assert await host.refused(CreateSession()) == 503
    assert await host.ask(CreateSession()) is None


async def test_who_wants_to_wait_gets_a_place(redis: Redis):
    host = Host(redis, elsewhere=1)
    assert [(await host.waits()).position for _ in range(2)] == [1, 2]


async def test_who_does_not_want_to_wait_is_refused(redis: Redis):
    assert await Host(redis, elsewhere=1).refused(CreateSession()) == 503


@pytest.mark.parametrize("queue", [0, 1])
async def test_where_there_is_no_place_nobody_waits(redis: Redis, queue: int):
    host = Host(redis, elsewhere=1, queue=queue)
    if queue:
        await host.waits()
    assert await host.refused(WAIT) == 503


async def test_the_first_in_line_takes_the_line_that_becomes_free(redis: Redis):
    host = Host(redis, elsewhere=1)
    first, second = await host.waits(), await host.waits()
    host.mirror.elsewhere = 0
    assert (await host.waits(CreateSession(wait=True, ticket=second.ticket))).position == 2
    assert await host.ask(CreateSession(wait=True, ticket=first.ticket)) is None
    assert await host.lines.waiting() == 1


async def test_nobody_overtakes_those_who_wait(redis: Redis):
    host = Host(redis, elsewhere=1)
    await host.waits()
    host.mirror.elsewhere = 0
    assert await host.refused(CreateSession()) == 503
    assert (await host.waits()).position == 2


async def test_callers_who_ask_at_once_do_not_share_the_last_line(redis: Redis):
    host, over, outcomes = Host(redis), asyncio.Event(), list[str]()

    async def ask() -> None:
        try:
            async with host.lines.taken(CreateSession(), live=(), now_mono=0.0):
                outcomes.append("in")
                await over.wait()
        except Problem:
            outcomes.append("refused")

    asking = [asyncio.create_task(ask()) for _ in range(5)]
    async with asyncio.timeout(5):
        while len(outcomes) < 5:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    over.set()
    await asyncio.gather(*asking)
    assert sorted(outcomes) == ["in", *["refused"] * 4]


async def test_whoever_is_turned_away_is_counted_by_what_was_short(redis: Redis):
    host = Host(redis, elsewhere=1)
    await host.refused(CreateSession())
    await host.waits()
    host.mirror.elsewhere = 0
    await host.refused(CreateSession())
    assert host.lines.refused == {"max_sessions": 1, "line": 1}


async def test_a_lost_ticket_is_told(redis: Redis):
    assert await Host(redis, elsewhere=1).refused(CreateSession(wait=True, ticket="lapsed")) == 503


async def test_a_call_that_could_not_start_keeps_its_place_in_line(redis: Redis):
    host = Host(redis, elsewhere=1)
    first = await host.waits()
    host.mirror.elsewhere = 0
    with pytest.raises(RuntimeError):
        async with host.lines.taken(CreateSession(ticket=first.ticket), live=(), now_mono=0.0):
            raise RuntimeError("no bot")
    assert await host.lines.waiting() == 1
