"""What one call finds out of a provider, told to all others of this host, so that each need not fail by itself.

Bots report it (`provider`, see `processors/failover/providers.py`); it is kept in Redis, for the other servers and for
calls to come, and told to the bots of this server's calls by `POST /providers`, and to the desk. Where Redis is away,
this server's own calls still tell each other.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from loguru import logger
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.desk.errors import DeskError
from server.ingress.launcher import BotGoneError, BotRefusedError
from server.ingress.live import LiveSession
from server.ingress.registry import SessionRecord

PROVIDERS = "jarvis:providers"
LOOK_SECS = 1.0
# A provider of which nobody has said anything for so long is tried like a new one.
KEPT_SECS = 600
CLOSED = "closed"

# Among the bots that are told.
DESK = "desk"

Known = dict[str, Any]
TellDesk = Callable[[Sequence[Known]], Awaitable[None]]


class Circuits:
    """A `CallObserver`. `now` is the time of day: what is kept is read by other servers, and after a restart."""

    def __init__(self, *, redis: Redis, tell_desk: TellDesk, now: Callable[[], float] = time.time) -> None:
        self._redis = redis
        self._tell_desk = tell_desk
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
        for gone in self._told.keys() - {session.bot.id for session in live} - {DESK}:
            del self._told[gone]
        await asyncio.gather(self._tell_at_desk(), *(self._tell(session) for session in sessions))

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
        news = self._news(session.bot.id)
        if not news:
            return
        try:
            await session.bot.request("POST", "/providers", {"known": self._body(news)})
        except BotGoneError:
            return  # it is told again, or replaced
        except BotRefusedError:
            logger.bind(session=session.id).warning("session {} does not want to know of the providers", session.id)
        self._has_heard(session.bot.id, news)

    async def _tell_at_desk(self) -> None:
        news = self._news(DESK)
        if not news:
            return
        try:
            await self._tell_desk(self._body(news))
        except DeskError:
            # One that is started again knows nothing of them.
            self._told.pop(DESK, None)
            return
        self._has_heard(DESK, news)

    def _news(self, name: str) -> Mapping[str, Known]:
        """What this one does not know yet."""
        told = self._told.setdefault(name, {})
        # It begins with all circuits closed.
        return {
            key: known
            for key, known in self._known.items()
            if known["at"] > told.get(key, 0.0) and (known["state"] != CLOSED or key in told)
        }

    def _body(self, news: Mapping[str, Known]) -> list[Known]:
        now = self._now()
        return [
            {name: known[name] for name in ("stage", "provider", "state", "rests")}
            | {"rest_secs": max(0.0, known["until"] - now)}
            for known in news.values()
        ]

    def _has_heard(self, name: str, news: Mapping[str, Known]) -> None:
        self._told.setdefault(name, {}).update({key: known["at"] for key, known in news.items()})
