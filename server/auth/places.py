"""How many requests each key has open at once, over all servers of one Redis.

A place is a lease: its server renews it while the request goes on, and it lapses with its server.
"""

import asyncio
import itertools
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from redis.asyncio import Redis
from redis.exceptions import RedisError

LEASE_MS = 30_000
RENEW_SECS = 10.0
PREFIX = "jarvis:places:"
# While Redis is away; what is forgotten lapses.
MOST_GIVEN_BACK = 100

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""
# ARGV: most at once, lease in ms, the new place, those given back that Redis may not know of yet.
_TAKE = (
    _NOW
    + """
for i = 4, #ARGV do redis.call('ZREM', KEYS[1], ARGV[i]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
"""
)
# ARGV: lease in ms, the places.
_RENEW = (
    _NOW
    + """
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], 'XX', now + ARGV[1], ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
"""
)


class Places:
    """Takes places and gives them back; without Redis, nothing is counted."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._take, self._renew = redis.register_script(_TAKE), redis.register_script(_RENEW)
        server = secrets.token_hex(4)
        self._names = (f"{server}-{number}" for number in itertools.count())
        self._held: defaultdict[str, set[str]] = defaultdict(set)
        self._given_back: defaultdict[str, set[str]] = defaultdict(set)
        self._tasks: set[asyncio.Task[None]] = set()

    def name(self) -> str:
        """What a new place is called."""
        return next(self._names)

    async def take(self, key_id: str, place: str, *, at_once: int) -> bool:
        """Takes the place, one among so many; whether there was one. Raises RedisError, OSError."""
        given_back = tuple(self._given_back[key_id])
        self._held[key_id].add(place)
        taken = await self._take(keys=[PREFIX + key_id], args=[at_once, LEASE_MS, place, *given_back])
        self._given_back[key_id].difference_update(given_back)
        if not taken:
            self._held[key_id].discard(place)
        return bool(taken)

    def give_back(self, key_id: str, place: str) -> None:
        """The request has ended. Nobody waits for Redis, yet whoever takes a place next finds this one free."""
        self.drop(key_id, place)
        task = asyncio.create_task(self._tell(key_id, place))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def drop(self, key_id: str, place: str) -> None:
        """Forgets a place of which nobody knows whether it was taken: the next one to take any frees it."""
        if place in self._held[key_id]:
            self._held[key_id].discard(place)
            if len(self._given_back[key_id]) < MOST_GIVEN_BACK:
                self._given_back[key_id].add(place)

    async def renew(self) -> None:
        """Keeps what is held for another lease."""
        for key_id, places in list(self._held.items()):
            if places:
                with suppress(RedisError, OSError):
                    await self._renew(keys=[PREFIX + key_id], args=[LEASE_MS, *places])

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Renews again and again; gives back at the end what was not yet."""
        renewing = asyncio.create_task(self._renew_forever(), name="places")
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, *self._tasks, return_exceptions=True)

    async def _renew_forever(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECS)
            await self.renew()

    async def _tell(self, key_id: str, place: str) -> None:
        try:
            await self._redis.zrem(PREFIX + key_id, place)
        except (RedisError, OSError):
            return  # it lapses
        finally:
            self._given_back[key_id].discard(place)
