"""Who is on a call, in Redis: what every server of this host sees, and what outlives each of them.

Everything here has a lease that its server renews. It mirrors what bots and servers know: where Redis is gone, calls go
on, and it is filled again when it is back. No write raises; reads, and what must be forgotten, raise
`RegistryGoneError`.
"""

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, TypeVar

from loguru import logger
from pydantic import BaseModel, ConfigDict, ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.change import Change
from bot.reports import Floor, Message
from bot.takes import said_in

LEASE_SECS = 30
SERVER_LEASE_SECS = 5
# How long it is known that a call has ended.
ENDED_SECS = 3600
REVIVAL_SECS = 30

SESSIONS = "jarvis:sessions"
SERVERS = "jarvis:servers"

State = Literal["created", "connected", "reconnecting", "ended"]
Model = TypeVar("Model", bound=BaseModel)


class RegistryGoneError(Exception):
    """Redis does not answer."""


class Details(BaseModel):
    """What a call was created with; `caller` and `metadata` mean something to whoever created it alone.

    `chosen` is what the operator chose for it later.
    """

    model_config = ConfigDict(frozen=True)

    channel: str = "webrtc"
    collection: str = "default"
    persona: str = "default"
    language: str = "en"
    caller: str | None = None
    metadata: dict[str, str] = {}
    chosen: Change = Change()

    def anonymous(self) -> "Details":
        """The same without who called and what it was for."""
        return self.model_copy(update={"caller": None, "metadata": {}})


class SessionRecord(BaseModel):
    """What is known of a call.

    Times are UTC, but for `connected_mono`, which is by the host's monotonic clock. `cpu_percent` is of one core,
    `v2v_ms` of the last answer; `cost_usd` is what is known of the cost, all of it where `priced`.
    """

    id: str
    state: State
    details: Details = Details()
    created_at: datetime
    connected_at: datetime | None = None
    connected_mono: float | None = None
    turns: int = 0
    floor: Floor = "nobody"
    v2v_ms: int | None = None
    cpu_percent: float | None = None
    memory_mb: float | None = None
    bots: int = 1
    cost_usd: Decimal = Decimal(0)
    priced: bool = True
    bot: str | None = None
    pc_ids: list[str] = []
    server: str
    end_reason: str | None = None


class ServerRecord(BaseModel):
    """What is known of a server of this host."""

    id: str
    address: str
    state: Literal["starting", "ready", "draining"]
    sessions: int
    warm_bots: int
    started_at: datetime


class Registry:
    """Writes and reads what all servers know."""

    def __init__(self, *, redis: Redis):
        self._redis = redis
        self._down = False

    async def save(self, records: Sequence[SessionRecord]) -> None:
        """The calls as they stand now; renews their leases."""
        if not records:
            return

        async def write() -> None:
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.sadd(SESSIONS, *(record.id for record in records))
                for record in records:
                    pipe.set(_session(record.id), record.model_dump_json(), ex=LEASE_SECS)
                await pipe.execute()

        await self._try(write)

    async def tell(self, session_id: str, story: Sequence[Message]) -> None:
        """What was said so far, in place of what is there."""

        async def write() -> None:
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.delete(_story(session_id))
                if story:
                    pipe.rpush(_story(session_id), *(json.dumps(message) for message in story))
                    pipe.expire(_story(session_id), LEASE_SECS)
                await pipe.execute()

        await self._try(write)

    async def keep_stories(self, stories: Sequence[tuple[str, Sequence[Message]]]) -> None:
        """Renews the leases of stories, each (session id, messages), and tells those again that Redis has lost."""

        async def renew() -> list[bool]:
            async with self._redis.pipeline(transaction=False) as pipe:
                for session_id, _ in stories:
                    pipe.expire(_story(session_id), LEASE_SECS)
                return await pipe.execute()

        for (session_id, story), renewed in zip(stories, await self._try(renew) or [], strict=False):
            if story and not renewed:
                await self.tell(session_id, story)

    async def ended(self, record: SessionRecord) -> None:
        """The call is over: what was said is forgotten, that it was stays known for an hour."""

        async def write() -> None:
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.srem(SESSIONS, record.id)
                pipe.delete(_story(record.id))
                pipe.set(_session(record.id), record.model_dump_json(), ex=ENDED_SECS)
                await pipe.execute()

        await self._try(write)

    async def forget(self, session_ids: Sequence[str]) -> None:
        """Knows nothing more of these calls, which have ended; raises RegistryGoneError."""
        if not session_ids:
            return

        async def delete() -> None:
            said = await said_in(self._redis, session_ids)
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.srem(SESSIONS, *session_ids)
                pipe.delete(*(key(each) for each in session_ids for key in (_session, _story, _revival)), *said)
                await pipe.execute()

        await self._ask(delete)

    async def read(self, session_id: str) -> SessionRecord | None:
        """How the call stands; None when it is not known."""
        text = await self._ask(lambda: self._redis.get(_session(session_id)))
        return None if text is None else _parsed(SessionRecord, text)

    async def story(self, session_id: str) -> list[Message]:
        """What was said so far."""
        lines = await self._ask(lambda: self._redis.lrange(_story(session_id), 0, -1))  # pyright: ignore[reportArgumentType]  (redis types both its clients at once)
        return [json.loads(line) for line in lines]

    async def sessions(self) -> list[SessionRecord]:
        """The calls of all servers, the oldest first."""
        records = await self._all(SessionRecord, SESSIONS, _session)
        return sorted((r for r in records if r.state != "ended"), key=lambda r: r.created_at)

    async def announce(self, server: ServerRecord) -> None:
        """A server that lives, for some seconds."""

        async def write() -> None:
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.sadd(SERVERS, server.id)
                pipe.set(_server(server.id), server.model_dump_json(), ex=SERVER_LEASE_SECS)
                await pipe.execute()

        await self._try(write)

    async def retract(self, server_id: str) -> None:
        """A server that ends."""

        async def write() -> None:
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.srem(SERVERS, server_id)
                pipe.delete(_server(server_id))
                await pipe.execute()

        await self._try(write)

    async def servers(self) -> list[ServerRecord]:
        """The servers that live, the oldest first."""
        return sorted(await self._all(ServerRecord, SERVERS, _server), key=lambda s: s.started_at)

    async def claim(self, session_id: str, *, server_id: str) -> bool:
        """Whether this server is the one to give a lost call a new bot."""
        return bool(await self._try(lambda: self._redis.set(_revival(session_id), server_id, nx=True, ex=REVIVAL_SECS)))

    async def _all(self, model: type[Model], index: str, key: Callable[[str], str]) -> list[Model]:
        ids = sorted(await self._ask(lambda: self._redis.smembers(index)))  # pyright: ignore[reportArgumentType]  (redis types both its clients at once)
        if not ids:
            return []
        texts = await self._ask(lambda: self._redis.mget([key(each) for each in ids]))
        if lapsed := [each for each, text in zip(ids, texts, strict=True) if text is None]:
            await self._try(lambda: self._redis.srem(index, *lapsed))  # pyright: ignore[reportArgumentType]  (redis types both its clients at once)
        found = [_parsed(model, text) for text in texts if text is not None]
        return [each for each in found if each is not None]

    async def _ask(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        try:
            return await ask()
        except (RedisError, OSError) as error:
            raise RegistryGoneError("Redis does not answer.") from error

    async def _try(self, write: Callable[[], Awaitable[Any]]) -> Any:
        try:
            result = await write()
        except (RedisError, OSError) as error:
            if not self._down:
                logger.error("Redis does not answer ({}); calls go on without it", type(error).__name__)
            self._down = True
            return None
        if self._down:
            logger.info("Redis answers again")
        self._down = False
        return result


def _parsed(model: type[Model], text: str) -> Model | None:
    """The record; None for one that another version of Jarvis wrote differently."""
    try:
        return model.model_validate_json(text)
    except ValidationError:
        return None


def _session(session_id: str) -> str:
    return f"jarvis:session:{session_id}"


def _story(session_id: str) -> str:
    return f"jarvis:story:{session_id}"


def _revival(session_id: str) -> str:
    return f"jarvis:revival:{session_id}"


def _server(server_id: str) -> str:
    return f"jarvis:server:{server_id}"
