"""What one call finds out of a provider, the others know, by a real Redis and without one."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.desk.errors import DeskUnavailableError
from server.ingress.circuits import Circuits
from server.ingress.launcher import BotGoneError, BotRefusedError
from server.ingress.live import LiveSession
from server.ingress.scripted import ScriptedBot

pytestmark = pytest.mark.integration

OPEN = {"type": "provider", "stage": "llm", "provider": "openai", "state": "open", "rest_secs": 15.0, "rests": 1}
CLOSED = OPEN | {"state": "closed", "rest_secs": 0.0, "rests": 0}
TOLD = {key: value for key, value in OPEN.items() if key != "type"}
ASKED = ("POST", "/providers", {})


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_900_000_000.0

    def __call__(self) -> float:
        return self.now


class FakeDesk:
    """Keeps what it is told; is not there as often as `away` says."""

    def __init__(self, *, away: int = 0) -> None:
        self.away = away
        self.told: list[str] = []

    async def learn(self, known: Sequence[dict[str, Any]]) -> None:
        if self.away:
            self.away -= 1
            raise DeskUnavailableError("gone")
        self.told += [each["state"] for each in known]


def knowing(redis: Redis, *, desk: FakeDesk | None = None, **given: Any) -> Circuits:
    return Circuits(redis=redis, tell_desk=(desk or FakeDesk()).learn, **given)


@pytest.fixture
async def without_redis() -> AsyncIterator[Redis]:
    gone = Redis.from_url("redis://127.0.0.1:1")
    yield gone
    await gone.aclose()


def call(name: str, *script: tuple[str, str, dict[str, Any] | Exception]) -> tuple[LiveSession, ScriptedBot]:
    """A call that is on, and its bot."""
    bot = ScriptedBot(name, *script)
    return LiveSession(id=name, bot=bot, server="s1", created_at=datetime.now(UTC), joined=True), bot


async def test_another_call_is_told_of_an_open_circuit_and_how_long_it_rests(redis: Redis):
    clock = Clock()
    circuits, (first, first_bot), (second, second_bot) = knowing(redis, now=clock), call("a"), call("b", ASKED)
    circuits.heard(first, OPEN)
    clock.now += 5
    await circuits.look(live=[first, second])
    assert (first_bot.asked, second_bot.asked) == ([], [{"known": [TOLD | {"rest_secs": 10.0}]}])


async def test_nobody_is_told_twice(redis: Redis):
    circuits, (first, _), (second, bot) = knowing(redis), call("a"), call("b", ASKED)
    circuits.heard(first, OPEN)
    await circuits.look(live=[first, second])
    await circuits.look(live=[first, second])
    assert len(bot.asked) == 1


async def test_a_call_that_begins_later_at_another_server_is_told(redis: Redis):
    one, other, (first, _), (second, bot) = knowing(redis), knowing(redis), call("a"), call("b", ASKED)
    one.heard(first, OPEN)
    await one.look(live=[first])
    await other.look(live=[second])
    assert [known["state"] for known in bot.asked[0]["known"]] == ["open"]


async def test_a_call_that_begins_later_is_not_told_what_is_well(redis: Redis):
    circuits, (first, _), (second, bot) = knowing(redis), call("a"), call("b")
    circuits.heard(first, CLOSED)
    await circuits.look(live=[first, second])
    assert bot.asked == []


async def test_those_who_were_told_that_it_opened_are_told_that_it_closed(redis: Redis):
    clock = Clock()
    circuits, (first, _), (second, bot) = knowing(redis, now=clock), call("a"), call("b", ASKED, ASKED)
    circuits.heard(first, OPEN)
    await circuits.look(live=[first, second])
    clock.now += 20
    circuits.heard(first, CLOSED)
    await circuits.look(live=[first, second])
    assert [asked["known"][0]["state"] for asked in bot.asked] == ["open", "closed"]


async def test_calls_of_one_server_tell_each_other_without_redis(without_redis: Redis):
    circuits, (first, _), (second, bot) = knowing(without_redis), call("a"), call("b", ASKED)
    circuits.heard(first, OPEN)
    await circuits.look(live=[first, second])
    assert len(bot.asked) == 1


async def test_a_bot_that_did_not_hear_is_told_again(redis: Redis):
    circuits, (first, _) = knowing(redis), call("a")
    second, bot = call("b", ("POST", "/providers", BotGoneError("busy")), ASKED)
    circuits.heard(first, OPEN)
    await circuits.look(live=[first, second])
    await circuits.look(live=[first, second])
    bot.assert_done()


async def test_a_bot_that_refuses_is_not_asked_again(redis: Redis):
    circuits, (first, _) = knowing(redis), call("a")
    second, bot = call("b", ("POST", "/providers", BotRefusedError(404, "no such route")))
    circuits.heard(first, OPEN)
    await circuits.look(live=[first, second])
    await circuits.look(live=[first, second])
    bot.assert_done()


async def test_the_desk_is_told_once_of_what_opened_and_closed(without_redis: Redis):
    desk, (first, _), clock = FakeDesk(), call("a"), Clock()
    circuits = knowing(without_redis, desk=desk, now=clock)
    for event in (OPEN, CLOSED):
        clock.now += 20
        circuits.heard(first, event)
        await circuits.look(live=[first])
        await circuits.look(live=[])
    assert desk.told == ["open", "closed"]


async def test_a_desk_that_was_away_is_told_when_it_is_back(without_redis: Redis):
    desk, (first, _) = FakeDesk(away=1), call("a")
    circuits = knowing(without_redis, desk=desk)
    circuits.heard(first, OPEN)
    await circuits.look(live=[first])
    await circuits.look(live=[first])
    assert desk.told == ["open"]


async def test_what_an_earlier_server_was_told_already_is_nothing_new(redis: Redis):
    circuits, (first, _), (second, bot) = knowing(redis), call("a"), call("b")
    circuits.heard(first, OPEN | {"again": True})
    await circuits.look(live=[first, second])
    assert bot.asked == []
