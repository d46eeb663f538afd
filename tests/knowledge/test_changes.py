import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import psycopg
import pytest
from loguru import logger

from knowledge import changes
from knowledge.changes import ChangeWatcher
from knowledge.database import Database
from knowledge.errors import KnowledgeUnavailableError
from knowledge.store import Store

pytestmark = pytest.mark.integration

WAIT_SECS = 10.0
LISTENERS = "select pg_terminate_backend(pid) from pg_stat_activity where query = 'listen knowledge_searchable;'"


class Refreshed:
    """Takes the collections that are refreshed; `held` holds a refresh up, `failures` more of them fail."""

    def __init__(self, *, failures: int = 0) -> None:
        self.collections: asyncio.Queue[str | None] = asyncio.Queue()
        self.failures = failures
        self.held = asyncio.Event()
        self.held.set()

    async def __call__(self, collection: str | None) -> None:
        self.collections.put_nowait(collection)
        await self.held.wait()
        if self.failures:
            self.failures -= 1
            raise KnowledgeUnavailableError("away")

    async def next(self) -> str | None:
        """The next collection that is refreshed, None for all."""
        return await asyncio.wait_for(self.collections.get(), WAIT_SECS)


@asynccontextmanager
async def watching(database_url: str, refresh: Callable[[str | None], Awaitable[None]]) -> AsyncIterator[ChangeWatcher]:
    watcher = ChangeWatcher(database_url=database_url, refresh=refresh)
    task = asyncio.create_task(watcher.run())
    try:
        yield watcher
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def announce(database: Database, *collections: str) -> None:
    for collection in collections:
        await database.read("notify_searchable", collection=collection)


async def settled(watcher: ChangeWatcher) -> None:
    await asyncio.wait_for(watcher.refreshed.wait(), WAIT_SECS)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "RETRY_SECS", 0.01)


async def test_all_is_loaded_at_first(store: Store, database_url: str) -> None:
    refreshed = Refreshed()
    async with watching(database_url, refreshed) as watcher:
        assert await refreshed.next() is None
        await settled(watcher)


async def test_a_collection_that_changed_is_loaded(store: Store, database: Database, database_url: str) -> None:
    refreshed = Refreshed()
    async with watching(database_url, refreshed) as watcher:
        await settled(watcher)
        await announce(database, "manuals")
        assert (await refreshed.next(), await refreshed.next()) == (None, "manuals")


async def test_a_change_of_no_collection_is_one_of_all(store: Store, database: Database, database_url: str) -> None:
    refreshed = Refreshed()
    async with watching(database_url, refreshed) as watcher:
        await settled(watcher)
        await announce(database, "")
        assert (await refreshed.next(), await refreshed.next()) == (None, None)


async def test_changes_during_a_load_are_loaded_once_after_it(
    store: Store, database: Database, database_url: str
) -> None:
    refreshed = Refreshed()
    async with watching(database_url, refreshed) as watcher:
        await settled(watcher)
        assert await refreshed.next() is None
        refreshed.held.clear()
        await announce(database, "first")
        assert await refreshed.next() == "first"
        await announce(database, "manuals", "prices", "manuals")
        await announce(database, "last")
        await asyncio.sleep(0.1)
        refreshed.held.set()
        assert {await refreshed.next() for _ in range(3)} == {"manuals", "prices", "last"}
        assert refreshed.collections.empty()


async def test_a_load_that_fails_is_tried_again(store: Store, database_url: str) -> None:
    refreshed = Refreshed(failures=2)
    async with watching(database_url, refreshed) as watcher:
        assert [await refreshed.next() for _ in range(3)] == [None, None, None]
        await settled(watcher)


async def test_a_first_load_that_fails_is_none(store: Store, database_url: str) -> None:
    refreshed = Refreshed(failures=1_000)
    async with watching(database_url, refreshed) as watcher:
        await refreshed.next()
        await refreshed.next()
        assert not watcher.refreshed.is_set()


async def test_what_was_missed_while_the_database_was_away_is_loaded(
    store: Store, database: Database, database_url: str
) -> None:
    refreshed = Refreshed()
    async with watching(database_url, refreshed) as watcher:
        await settled(watcher)
        assert await refreshed.next() is None
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
            await connection.execute(LISTENERS)
        assert await refreshed.next() is None
        await announce(database, "manuals")
        assert await refreshed.next() == "manuals"


async def test_a_database_that_is_not_there_is_waited_for() -> None:
    refreshed = Refreshed()
    async with watching("postgresql://127.0.0.1:1/x?connect_timeout=1", refreshed):
        await asyncio.sleep(0.1)
        assert refreshed.collections.empty()


async def test_that_the_database_is_not_there_is_logged_once() -> None:
    attempts: asyncio.Queue[None] = asyncio.Queue()
    lines: list[str] = []

    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        attempts.put_nowait(None)
        writer.close()

    sink = logger.add(lines.append, format="{message}")
    refusing = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = refusing.sockets[0].getsockname()[1]
    async with refusing, watching(f"postgresql://127.0.0.1:{port}/x", Refreshed()):
        for _ in range(3):
            await asyncio.wait_for(attempts.get(), WAIT_SECS)
    logger.remove(sink)
    assert len(lines) == 1
