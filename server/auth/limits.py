"""How often and how much at once, counted in Redis; where Redis is away or slow, nobody is kept waiting for it."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from loguru import logger
from redis.asyncio import Redis
from redis.exceptions import RedisError

from server.auth.keys import ApiKey
from server.auth.places import Places
from server.auth.problems import too_many_at_once, too_often

PREFIX = "jarvis:limit"
ASK_SECS = 0.05
# Redis is not asked again for so long after it did not answer.
REST_SECS = 1.0
WINDOW_SECS = 60


class Limits:
    """Refuses with a 429 `Problem` what is too much; one round trip to Redis, two more where it refuses."""

    def __init__(self, *, redis: Redis, places: Places, address_per_minute: int) -> None:
        storage = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix=PREFIX,
            connection_pool=redis.connection_pool,  # pyright: ignore[reportArgumentType]  (it takes one)
        )
        self._windows = SlidingWindowCounterRateLimiter(storage)
        self._places = places
        self._per_address = address_per_minute
        self._rest_until_mono = 0.0
        self._away = False

    @asynccontextmanager
    async def place(self, key: ApiKey) -> AsyncIterator[None]:
        """Counts a request of the key, and holds one of its places until the end."""
        item = RateLimitItemPerMinute(key.per_minute, namespace="key")
        place, taken = self._places.name(), False
        try:
            answers = await self._ask(
                lambda: self._windows.hit(item, key.id),
                lambda: self._places.take(key.id, place, at_once=key.at_once),
            )
            if answers is not None:
                within, taken = answers
                if not within:
                    raise await self._refusal(item, key.id, whose="of this key")
                if not taken:
                    raise too_many_at_once(key.at_once)
            yield
        finally:
            if taken:
                self._places.give_back(key.id, place)
            else:
                self._places.drop(key.id, place)

    async def address(self, address: str) -> None:
        """Counts a request of somebody without a key."""
        await self.count("address", address, per_minute=self._per_address, whose="of your address")

    async def count(self, kind: str, of: str, *, per_minute: int, whose: str) -> None:
        """Counts one of a kind; `whose` limit it is, as in "of this key"."""
        item = RateLimitItemPerMinute(per_minute, namespace=kind)
        answers = await self._ask(lambda: self._windows.hit(item, of))
        if answers is not None and not answers[0]:
            raise await self._refusal(item, of, whose=whose)

    async def _refusal(self, item: RateLimitItem, of: str, *, whose: str) -> Exception:
        answers = await self._ask(lambda: self._windows.get_window_stats(item, of))
        reset_secs = WINDOW_SECS if answers is None else math.ceil(answers[0].reset_time - time.time())
        return too_often(per_minute=item.amount, reset_secs=min(max(reset_secs, 1), WINDOW_SECS), whose=whose)

    async def _ask(self, *asks: Callable[[], Awaitable[Any]]) -> list[Any] | None:
        """What Redis answers, asked side by side; None where it does not in time, which is logged once."""
        now_mono = time.monotonic()
        if now_mono < self._rest_until_mono:
            return None
        try:
            async with asyncio.timeout(ASK_SECS):
                answers = await asyncio.gather(*(ask() for ask in asks))
        except (RedisError, OSError) as error:
            self._rest_until_mono = now_mono + REST_SECS
            if not self._away:
                logger.warning("limits are not kept: Redis does not answer in time ({})", type(error).__name__)
            self._away = True
            return None
        if self._away:
            logger.info("limits are kept again")
        self._away = False
        return answers
