"""What a day's calls spend is added up once, by a real Redis and without one, and calls are told what it leaves."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.budget import Budget
from bot.settings import BotSettings, Retrieval
from knowledge.errors import KnowledgeUnavailableError
from server.ingress.budget import BudgetedLauncher, DayBudget
from server.ingress.launcher import BotGoneError, BotRefusedError, Task
from server.ingress.live import LiveSession
from server.ingress.scripted import ScriptedBot, ScriptedLauncher

pytestmark = pytest.mark.integration

NOON = datetime(2030, 1, 2, 12, tzinfo=UTC)
ASKED = ("POST", "/budget", {})


def usage(usd: str, **changes: Any) -> dict[str, Any]:
    """A bot spent so much."""
    added = [{"stage": "llm", "provider": "openai", "model": "m", "units": {}, "usd": usd, "priced": True}]
    return {"type": "usage", "added": added, "usd": usd, "priced": True, **changes}


class Recorded:
    """What the records say; or they can't be read."""

    def __init__(self, usd: str | None = "0") -> None:
        self._usd = usd
        self.asked: list[datetime] = []

    async def cost_since(self, since: datetime) -> Decimal:
        self.asked.append(since)
        if self._usd is None:
            raise KnowledgeUnavailableError("away")
        return Decimal(self._usd)


class House:
    """A server's budget of a dollar, and one call."""

    def __init__(self, redis: Redis, *script: Any, recorded: Recorded | None = None, cap: str | None = "1") -> None:
        self.now = NOON
        self.told: list[Decimal] = []
        self.entered: list[Mapping[str, Any]] = []
        self.bot = ScriptedBot("b", *script)
        self.call = LiveSession(id="a", bot=self.bot, server="s1", created_at=NOON)
        self.budget = DayBudget(
            redis=redis,
            costs=recorded or Recorded(),
            cap_usd=None if cap is None else Decimal(cap),
            told=self.told.append,
            spent=self.entered.append,
            now=lambda: self.now,
        )

    async def spends(self, *amounts: str) -> None:
        for usd in amounts:
            self.budget.heard(self.call, usage(usd))
        await self.budget.look(live=[self.call])


@pytest.fixture
def gone() -> Redis:
    """A Redis that is not there."""
    return Redis.from_url("redis://127.0.0.1:1")


async def test_what_calls_of_several_servers_spend_is_one_sum_to_the_last_digit(redis: Redis):
    one, other = House(redis, cap=None), House(redis, cap=None)
    await one.spends("0.1", "0.000000001")
    await other.spends("0.2")
    await one.spends()
    assert (one.budget.spent_usd, other.told) == (Decimal("0.300000001"), [Decimal("0.300000001")])


async def test_what_an_earlier_server_added_is_not_added_again(redis: Redis):
    house = House(redis, cap=None)
    house.budget.heard(house.call, usage("0.5", again=True))
    await house.spends()
    assert (house.budget.spent_usd, house.entered) == (0, [])


async def test_requests_beside_the_calls_are_of_the_same_sum(redis: Redis):
    house = House(redis, cap=None)
    house.budget.enter(usage("0.5"))
    await house.spends("0.25")
    assert (house.budget.spent_usd, len(house.entered)) == (Decimal("0.75"), 2)


@pytest.mark.parametrize(("spent", "asked"), [("0.79", "all"), ("0.8", "cheap"), ("1", "free")])
async def test_a_call_is_told_what_the_day_leaves(redis: Redis, spent: str, asked: str):
    house = House(redis, ASKED)
    await house.spends(spent)
    await house.spends()
    assert house.bot.asked == [{"day": asked}]


async def test_without_a_cap_nobody_is_told_anything(redis: Redis):
    house = House(redis, cap=None)
    await house.spends("100")
    assert house.bot.asked == []


async def test_a_new_day_is_a_new_sum(redis: Redis):
    house = House(redis, ASKED, ASKED)
    await house.spends("2")
    house.now += timedelta(days=1)
    await house.spends()
    assert ([each["day"] for each in house.bot.asked], house.budget.spent_usd) == (["free", "all"], 0)


async def test_a_sum_that_redis_lost_is_what_the_records_say(redis: Redis):
    recorded = Recorded("0.9")
    house = House(redis, ASKED, recorded=recorded)
    await house.spends()
    assert (house.budget.spent_usd, house.budget.level) == (Decimal("0.9"), "cheap")
    assert recorded.asked == [NOON.replace(hour=0)]


async def test_a_sum_that_is_lost_as_calls_go_on_is_what_was_known(redis: Redis):
    house = House(redis, cap=None, recorded=Recorded("0.1"))
    await house.spends("0.5")
    await redis.flushdb()
    await house.spends("0.2")
    assert house.budget.spent_usd == Decimal("0.7")


@pytest.mark.parametrize("away", ["redis", "records"])
async def test_while_a_database_is_away_what_this_server_spends_still_counts(redis: Redis, gone: Redis, away: str):
    house = House(gone if away == "redis" else redis, ASKED, ASKED, recorded=Recorded(None))
    await house.spends("0.6")
    await house.spends("0.6")
    assert (house.budget.spent_usd, house.bot.asked[-1]) == (Decimal("1.2"), {"day": "free"})


async def test_what_could_not_be_written_is_written_later_once(redis: Redis):
    house = House(redis, cap=None)
    await house.spends("0.1")
    house.budget._redis = Redis.from_url("redis://127.0.0.1:1")
    await house.spends("0.1")
    house.budget._redis = redis
    await house.spends()
    await house.spends()
    assert await redis.get("jarvis:spent:2030-01-02") == "200000000"


async def test_a_bot_that_did_not_hear_is_told_again(redis: Redis):
    house = House(redis, ("POST", "/budget", BotGoneError("busy")), ASKED)
    await house.spends("1")
    await house.spends()
    house.bot.assert_done()


async def test_a_bot_that_refuses_is_not_asked_again(redis: Redis):
    house = House(redis, ("POST", "/budget", BotRefusedError(404, "no such route")))
    await house.spends("1")
    await house.spends()
    house.bot.assert_done()


async def test_a_new_bot_knows_what_was_spent_and_is_not_told_again(redis: Redis):
    house = House(redis)
    launcher = ScriptedLauncher(house.bot)
    await redis.set("jarvis:spent:2030-01-02", 10**9)
    async with house.budget.running(live=lambda: ()):
        settings = BotSettings(
            retrieval=Retrieval(socket=Path("/nowhere")),
            speech_socket=Path("/nowhere"),
            budget=Budget(call_usd=Decimal(3)),
        )
        budgeted = BudgetedLauncher(launcher, budget=house.budget)
        await budgeted.acquire(Task("a", settings, {"cost_usd": "0.25"}))
        await house.spends()
    (task,) = launcher.tasks
    assert task.settings.budget == Budget(call_usd=Decimal(3), spent_usd=Decimal("0.25"), day="free")
    assert house.bot.asked == []


async def test_what_is_spent_at_the_end_is_still_added(redis: Redis):
    house = House(redis, cap=None)
    async with house.budget.running(live=lambda: ()):
        house.budget.heard(house.call, usage("0.5"))
    assert await redis.get("jarvis:spent:2030-01-02") == "500000000"
