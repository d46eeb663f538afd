"""The line that callers wait in where the host is full, in Redis: the same for all servers of the host.

A sorted set holds the tickets in the order of their coming; a key a ticket, which its holder renews by asking, says
that somebody still waits. Whoever looks takes those away whose key is gone. Each step is one script, so two servers
that ask at once see one line.
"""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from loguru import logger
from redis.asyncio import Redis
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

LEASE_SECS = 15

# KEYS: the line, its counter. ARGV: prefix of the tickets' keys, lease in seconds, length of the line, ticket.
_SWEEP = """
for _, each in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if redis.call('EXISTS', ARGV[1] .. each) == 0 then redis.call('ZREM', KEYS[1], each) end
end
"""
_JOIN = (
    _SWEEP
    + """
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('ZADD', KEYS[1], redis.call('INCR', KEYS[2]), ARGV[4])
redis.call('SET', ARGV[1] .. ARGV[4], 1, 'EX', ARGV[2])
return redis.call('ZRANK', KEYS[1], ARGV[4]) + 1
"""
)
_RENEW = (
    _SWEEP
    + """
local rank = redis.call('ZRANK', KEYS[1], ARGV[4])
if not rank then return 0 end
redis.call('SET', ARGV[1] .. ARGV[4], 1, 'EX', ARGV[2])
return rank + 1
"""
)
_COUNT = _SWEEP + "return redis.call('ZCARD', KEYS[1])"

LINE = "jarvis:line"
COUNTER = "jarvis:line:counter"
TICKET = "jarvis:ticket:"


@dataclass(frozen=True, slots=True)
class Place:
    """A place in line; position 1 is next."""

    ticket: str
    position: int


class WaitingLine:
    """First come, first served; a caller who no longer asks loses the place after 15 s. No error of Redis is raised."""

    def __init__(self, *, redis: Redis, length: int):
        self._redis = redis
        self._length = length
        self._join, self._renew, self._count = (redis.register_script(each) for each in (_JOIN, _RENEW, _COUNT))
        self._away = False

    async def join(self) -> Place | None:
        """A new place at the end; None where the line is full, or Redis gone."""
        ticket = secrets.token_urlsafe(12)
        position = await self._run(self._join, ticket)
        return Place(ticket, position) if position else None

    async def renew(self, ticket: str) -> Place | None:
        """Where the holder of the ticket stands now; None where the place is lost."""
        position = await self._run(self._renew, ticket)
        return Place(ticket, position) if position else None

    async def leave(self, ticket: str) -> None:
        """Gives the place up; where Redis is away, it lapses."""
        await self._try(lambda: self._redis.delete(TICKET + ticket))

    async def count(self) -> int:
        """How many wait."""
        return await self._run(self._count, "")

    async def _run(self, script: AsyncScript, ticket: str) -> int:
        args = [TICKET, LEASE_SECS, self._length, ticket]
        return await self._try(lambda: script(keys=[LINE, COUNTER], args=args))

    async def _try(self, ask: Callable[[], Awaitable[Any]]) -> int:
        """What Redis answers, 0 where it is away, which is logged once until it is back."""
        try:
            answer = await ask()
        except (RedisError, OSError) as error:
            if not self._away:
                logger.warning("nobody can wait in line: Redis does not answer ({})", type(error).__name__)
            self._away = True
            return 0
        self._away = False
        return answer
