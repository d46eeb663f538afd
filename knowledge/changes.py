"""Notices that what can be searched has changed."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import psycopg
from loguru import logger

from knowledge.errors import KnowledgeError
from knowledge.sql import queries

CONNECT_TIMEOUT_SECS = 5
RETRY_SECS = 1.0
# Refreshing takes at most a third of the time, however long one takes and however often documents change.
REST_PER_REFRESH = 2.0


class ChangeWatcher:
    """Calls `refresh` with the collection that changed, or with None for all.

    All are refreshed after each connection to the database, for what was missed.
    """

    def __init__(self, *, database_url: str, refresh: Callable[[str | None], Awaitable[None]]) -> None:
        self._database_url = database_url
        self._refresh = refresh
        self._waiting: set[str | None] = set()
        self._changed = asyncio.Event()
        self.refreshed = asyncio.Event()

    async def run(self) -> None:
        """Watch until cancelled; a lost database is waited for. `refreshed` is set after the first refresh."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(self._refresh_when_changed())

    async def _listen(self) -> None:
        told = False
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._database_url,
                    autocommit=True,
                    connect_timeout=CONNECT_TIMEOUT_SECS,
                    keepalives_idle=30,
                    keepalives_interval=10,
                    keepalives_count=3,
                ) as connection:
                    async with asyncio.timeout(CONNECT_TIMEOUT_SECS):
                        await connection.execute(queries()["listen_searchable"])
                    told = False
                    self._note(None)
                    async for notice in connection.notifies():
                        self._note(notice.payload or None)
            except (psycopg.OperationalError, TimeoutError):
                if not told:
                    logger.warning("The knowledge database is not there; asking every {} s until it is", RETRY_SECS)
                told = True
            await asyncio.sleep(RETRY_SECS)

    def _note(self, collection: str | None) -> None:
        self._waiting.add(collection)
        self._changed.set()

    async def _refresh_when_changed(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            waiting, self._waiting = self._waiting, set()
            started = time.monotonic()
            try:
                for collection in {None} if None in waiting else waiting:
                    await self._refresh(collection)
            except KnowledgeError as error:
                logger.warning("The documents could not be loaded ({}); trying again", type(error).__name__)
                await asyncio.sleep(RETRY_SECS)
                for collection in waiting:
                    self._note(collection)
                continue
            took_secs = time.monotonic() - started
            self.refreshed.set()
            logger.debug("What changed in the documents was loaded in {:.3f} s", took_secs)
            await asyncio.sleep(REST_PER_REFRESH * took_secs)
