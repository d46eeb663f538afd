"""What the calls of a day cost, and what that leaves for those that run.

Bots report what they spent (`usage`, see `bot/usage.py`). The day's sum, of all servers, is in Redis; where it is lost
there, it is what the records say. A bot is told who it may still ask as it takes a call, and by `POST /budget` when
that changes. Where Redis is away, the last sum counts, and what this server's calls spent since.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Protocol

from loguru import logger
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.budget import Level, level_of
from knowledge.errors import KnowledgeUnavailableError
from server.ingress.launcher import Bot, BotGoneError, BotRefusedError, Launcher, Stray, Task
from server.ingress.live import LiveSession
from server.ingress.registry import SessionRecord

SPENT = "jarvis:spent:"
LOOK_SECS = 2.0
# Longer than a day lasts anywhere.
KEPT_SECS = 3 * 86400
# Redis adds whole numbers exactly: billionths of a dollar.
NANO = 10**9


class Costs(Protocol):
    """What is recorded of calls."""

    async def cost_since(self, since: datetime) -> Decimal:
        """What the calls cost that were created from then on, in USD; raises KnowledgeUnavailableError."""
        ...


def _now() -> datetime:
    return datetime.now(UTC)


class DayBudget:
    """A `CallObserver`. A day is one of UTC; `told` hears its sum in USD, `spent` each `usage` that is added to it."""

    def __init__(
        self,
        *,
        redis: Redis,
        costs: Costs,
        cap_usd: Decimal | None,
        told: Callable[[Decimal], None],
        spent: Callable[[Mapping[str, Any]], None],
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._redis = redis
        self._costs = costs
        self._cap_usd = cap_usd
        self._told_sum = told
        self._spent = spent
        self._now = now
        self._read: dict[date, int] = {}
        self._unwritten: defaultdict[date, int] = defaultdict(int)
        self._told: dict[str, Level] = {}
        self._wake = asyncio.Event()

    @property
    def spent_usd(self) -> Decimal:
        """What was spent today, as far as it is known here."""
        today = self._now().date()
        return Decimal(self._read.get(today, 0) + self._unwritten.get(today, 0)) / NANO

    @property
    def level(self) -> Level:
        """Who may still be asked today."""
        return level_of(self.spent_usd, self._cap_usd)

    def heard(self, session: LiveSession, event: Mapping[str, Any]) -> None:
        """Adds what a bot spent, once."""
        if event["type"] == "usage" and not event.get("again"):
            self.enter(event)

    def enter(self, event: Mapping[str, Any]) -> None:
        """Adds a `usage`, of a call or of a single request."""
        self._spent(event)
        self._unwritten[self._now().date()] += sum(round(Decimal(each["usd"]) * NANO) for each in event["added"])
        self._wake.set()

    def ended(self, session: LiveSession, record: SessionRecord) -> None:
        """Its bot is told nothing more."""
        self._told.pop(session.bot.id, None)

    def knows(self, bot: Bot, level: Level) -> None:
        """This bot was told that as it took its call."""
        self._told[bot.id] = level

    @asynccontextmanager
    async def running(self, *, live: Callable[[], Sequence[LiveSession]]) -> AsyncIterator[None]:
        """Adds up and tells meanwhile, from what was spent already on; `live` are this server's calls."""
        await self.look(live=())
        task = asyncio.create_task(self._run(live), name="budget")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})
            with suppress(RedisError, OSError, KnowledgeUnavailableError):
                await self._add_up()

    async def look(self, *, live: Sequence[LiveSession]) -> None:
        """Writes what is new, reads what others spent, and tells the bots of these calls what it leaves."""
        self._wake.clear()
        with suppress(RedisError, OSError, KnowledgeUnavailableError):
            await self._add_up()
        self._told_sum(self.spent_usd)
        for gone in self._told.keys() - {session.bot.id for session in live}:
            del self._told[gone]
        if self._cap_usd is not None:
            level = self.level
            await asyncio.gather(*(self._tell(session, level) for session in live))

    async def _run(self, live: Callable[[], Sequence[LiveSession]]) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECS):
                    await self._wake.wait()
            await self.look(live=live())

    async def _add_up(self) -> None:
        today = self._now().date()
        for day in {today, *self._unwritten}:
            key, new = SPENT + day.isoformat(), self._unwritten[day]
            begun = not await self._redis.exists(key) and await self._begin(key, day, new)
            if new and not begun:
                await self._redis.incrby(key, new)
            self._unwritten[day] -= new
            self._read[day] = int(await self._redis.get(key) or 0)
        for day in self._read.keys() - {today}:
            del self._read[day]
        for day in [day for day, nano in self._unwritten.items() if not nano and day != today]:
            del self._unwritten[day]

    async def _begin(self, key: str, day: date, new: int) -> bool:
        """Begins the day's sum, with what is new: by what is recorded, or what was known here where that is more."""
        recorded = await self._costs.cost_since(datetime.combine(day, time(), UTC))
        known = self._read.get(day, 0) + new
        return bool(await self._redis.set(key, max(known, round(recorded * NANO)), nx=True, ex=KEPT_SECS))

    async def _tell(self, session: LiveSession, level: Level) -> None:
        if self._told.get(session.bot.id) == level:
            return
        try:
            await session.bot.request("POST", "/budget", {"day": level})
        except BotGoneError:
            return  # it is told again, or replaced
        except BotRefusedError:
            logger.bind(session=session.id).warning("session {} does not want to know of the budget", session.id)
        self._told[session.bot.id] = level


class BudgetedLauncher:
    """A `Launcher` whose bots know, as they take a call, what was spent in it and what the day leaves."""

    def __init__(self, launcher: Launcher, *, budget: DayBudget) -> None:
        self._launcher = launcher
        self._budget = budget

    async def acquire(self, task: Task) -> Bot:
        """A bot that has taken the session."""
        level = self._budget.level
        known = {"day": level, "spent_usd": Decimal(task.call["cost_usd"])}
        budget = task.settings.budget.model_copy(update=known)
        settings = task.settings.model_copy(update={"budget": budget})
        bot = await self._launcher.acquire(replace(task, settings=settings))
        self._budget.knows(bot, level)
        return bot

    async def attach(self, bot_id: str) -> Bot | None:
        """The bot of that id."""
        return await self._launcher.attach(bot_id)

    async def strays(self, *, known: frozenset[str]) -> list[Stray]:
        """The bots in a call that no server follows."""
        return await self._launcher.strays(known=known)

    @property
    def warm(self) -> int:
        """How many bots wait for a call."""
        return self._launcher.warm
