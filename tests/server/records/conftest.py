"""A real database and a real Redis, with nothing in them, and what the records are made of."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from psycopg_pool import AsyncConnectionPool
from redis.asyncio import Redis

from knowledge.database import Database, prepare_connection
from knowledge.gaps import GapStore
from knowledge.store import Store
from server.ingress.registry import Registry
from server.records.erasure import Erasure
from server.records.store import CallRow, CallStore, MessageRow, TurnRow
from server.sql import SERVER

NOON = datetime(2030, 1, 2, 12, tzinfo=UTC)
SOURCE = {
    "document_id": "0f6d3c0a-6f0e-4c0c-9c58-3c1d53b8b2a1",
    "title": "Returns",
    "heading_path": ["Returns", "Time"],
    "quote": "Within 30 days.",
    "start": 10,
    "end": 25,
    "page": None,
}

MakeCall = Callable[..., CallRow]
MakeTurn = Callable[..., TurnRow]


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[AsyncConnectionPool[Any]]:
    async with AsyncConnectionPool(
        database_url, min_size=1, max_size=4, open=False, configure=prepare_connection
    ) as pool:
        await Database(pool).migrate()
        await Database(pool, package=SERVER).migrate()
        async with pool.connection() as connection:
            await connection.execute("truncate documents, gaps, index_jobs, embedding_models, collections cascade")
            await connection.execute("truncate calls cascade")
        yield pool


@pytest.fixture
def store(pool: AsyncConnectionPool[Any]) -> CallStore:
    return CallStore(Database(pool, package=SERVER))


@pytest.fixture
async def gaps(pool: AsyncConnectionPool[Any]) -> GapStore:
    database = Database(pool)
    await Store(database).make_collection("default")
    return GapStore(database)


@pytest.fixture
def registry(redis: Redis) -> Registry:
    return Registry(redis=redis)


@pytest.fixture
def erasure(store: CallStore, gaps: GapStore, registry: Registry) -> Erasure:
    return Erasure(calls=store, gaps=gaps, registry=registry)


def a_call(call_id: str = "a", *, minute: int = 0, caller: str | None = "Ada", **changes: Any) -> CallRow:
    """A call that began then and ended a minute later."""
    created_at = NOON + timedelta(minutes=minute)
    fields: dict[str, Any] = {
        "channel": "webrtc",
        "collection": "default",
        "persona": "default",
        "language": "en",
        "metadata": {"shop": "north"},
        "connected_at": created_at + timedelta(seconds=1),
        "ended_at": created_at + timedelta(minutes=1),
        "end_reason": "hang_up",
        "turns": 1,
        "bots": 1,
        "cost_usd": Decimal("0.0123"),
        "priced": True,
    }
    return CallRow(**{"id": call_id, "caller": caller, "created_at": created_at, **fields, **changes})


def a_turn(call_id: str = "a", *, number: int = 1, role: Any = "user", **changes: Any) -> TurnRow:
    """What was said at that second of the call."""
    fields: dict[str, Any] = {
        "bot": 1,
        "text": f"Turn {number}",
        "started_at": NOON + timedelta(seconds=number),
        "ended_at": NOON + timedelta(seconds=number, milliseconds=500),
        "interrupted": False,
        "sources": [],
        "unsupported": 0,
        "latencies": {},
    }
    return TurnRow(call_id=call_id, number=number, role=role, **{**fields, **changes})


def a_message(call_id: str = "a", *, number: int = 1, text: str = "Please call me.") -> MessageRow:
    """What a caller left."""
    return MessageRow(
        call_id=call_id, bot=1, number=number, name="Ada [L]", contact="555 0187", text=text, left_at=NOON
    )


async def keep(store: CallStore, *calls: CallRow, turns: Sequence[TurnRow | MessageRow] = ()) -> None:
    """Writes calls that were not there."""
    await store.write(begun={call.id for call in calls}, calls=calls, turns=turns)
