"""What one call finds out of a provider, told to all others of this host, so that each need not fail by itself.

Bots report it (`provider`, see `processors/failover/providers.py`); it is kept in Redis, for the other servers and for
calls to come, and told to the bots of this server's calls by `POST /providers`. Where Redis is away, this server's own
calls still tell each other.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from loguru import logger
from redis.asyncio import Redis
from redis.exceptions import RedisError

from server.ingress.launcher import BotGoneError, BotRefusedError
from server.ingress.live import LiveSession
from server.ingress.registry import SessionRecord

PROVIDERS = "jarvis:providers"
LOOK_SECS = 1.0
# A provider of which nobody has said anything for so long is tried like a new one.
KEPT_SECS = 600
CLOSED = "closed"

Known = dict[str, Any]


class Circuits:
    """A `CallObserver`. `now` is the time of day: what is kept is read by other servers, and after a restart."""

    def __init__(self, *, redis: Redis, now: Callable[[], float] = time.time) -> None:
        self._redis = redis
        self._now = now
        self._known: dict[str, Known] = {}
        self._unwritten: set[str] = set()
        self._told: dict[str, dict[str, float]] = {}
        self._wake = asyncio.Event()

    def heard(self, session: LiveSession, event: Mapping[str, Any]) -> None:
        """Keeps what a bot reports of a provider, once."""
        if event["type"] != "provider" or event.get("again"):
            return
        key, now = f"{event['stage']}:{event['provider']}", self._now()
        self._known[key] = {
            "stage": event["stage"],
            "provider": event["provider"],
            "state": event["state"],
            "rests": event["rests"],
            "until": now + event["rest_secs"],
            "at": now,
        }
        # The bot that says it need not be told.
        self._told.setdefault(session.bot.id, {})[key] = now
        self._unwritten.add(key)
        self._wake.set()

    def ended(self, session: LiveSession, record: SessionRecord) -> None:
        """Its bot is told nothing more."""
        self._told.pop(session.bot.id, None)

    @asynccontextmanager
    async def running(self, *, live: Callable[[], Sequence[LiveSession]]) -> AsyncIterator[None]:
        """Keeps and tells meanwhile; `live` are this server's calls."""
        task = asyncio.create_task(self._run(live), name="circuits")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def look(self, *, live: Sequence[LiveSession]) -> None:
        """Writes what is new, reads what others wrote, and tells the bots of these calls what they don't know."""
        self._wake.clear()
        with suppress(RedisError, OSError):
            await self._write()
            await self._read()
        sessions = [session for session in live if session.joined]
        for gone in self._told.keys() - {session.bot.id for session in live}:
            del self._told[gone]
        await asyncio.gather(*(self._tell(session) for session in sessions))

    async def _run(self, live: Callable[[], Sequence[LiveSession]]) -> None:
        while True:
            await self.look(live=live())
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECS):
                    await self._wake.wait()

    async def _write(self) -> None:
        keys = set(self._unwritten)
        if not keys:
            return
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(PROVIDERS, mapping={key: json.dumps(self._known[key]) for key in keys})
            pipe.expire(PROVIDERS, KEPT_SECS)
            await pipe.execute()
        self._unwritten -= keys

    async def _read(self) -> None:
        found: Mapping[Any, Any] = await self._redis.hgetall(PROVIDERS)  # pyright: ignore[reportGeneralTypeIssues, reportUnknownMemberType]  (redis types both its clients at once)
        for name, text in found.items():
            key = name.decode() if isinstance(name, bytes) else name
            known = json.loads(text)
            if known["at"] > self._known.get(key, {"at": 0.0})["at"]:
                self._known[key] = known

    async def _tell(self, session: LiveSession) -> None:
        told = self._told.setdefault(session.bot.id, {})
        # A bot begins with all circuits closed.
        news = {
            key: known
            for key, known in self._known.items()
            if known["at"] > told.get(key, 0.0) and (known["state"] != CLOSED or key in told)
        }
        if not news:
            return
        now = self._now()
        body = [
            {name: known[name] for name in ("stage", "provider", "state", "rests")}
            | {"rest_secs": max(0.0, known["until"] - now)}
            for known in news.values()
        ]
        try:
            await session.bot.request("POST", "/providers", {"known": body})
        except BotGoneError:
            return  # it is told again, or replaced
        except BotRefusedError:
            logger.bind(session=session.id).warning("session {} does not want to know of the providers", session.id)
        told.update({key: known["at"] for key, known in news.items()})
