"""Erases what is older than it may be kept, and closes calls whose end nobody saw."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from loguru import logger

from knowledge.errors import KnowledgeUnavailableError
from knowledge.gaps import GapStore
from server.ingress.registry import Registry, RegistryGoneError
from server.records.store import CallStore

# By then a server that follows another one has found the calls that go on.
FIRST_SWEEP_SECS = 60.0
SWEEP_SECS = 3600.0
# A batch is one short transaction; between two of them others have their turn.
BATCH = 200
PAUSE_SECS = 0.1
CLOSE_SECS = 2.0


class Retention:
    """Sweeps once an hour; of several servers on a database one at a time."""

    def __init__(self, *, calls: CallStore, gaps: GapStore, registry: Registry, keep_days: int):
        self._calls = calls
        self._gaps = gaps
        self._registry = registry
        self._keep_days = keep_days

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Sweeps all the while."""
        task = asyncio.create_task(self._run(), name="retention")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task}, timeout=CLOSE_SECS)

    async def _run(self) -> None:
        await asyncio.sleep(FIRST_SWEEP_SECS)
        while True:
            try:
                await self.sweep(now=datetime.now(UTC))
            except (KnowledgeUnavailableError, RegistryGoneError) as error:
                logger.warning("old calls are erased later: {}", type(error).__name__)
            except Exception as error:
                logger.error("old calls could not be erased: {}", type(error).__name__)
            await asyncio.sleep(SWEEP_SECS)

    async def sweep(self, *, now: datetime) -> None:
        """Closes lost calls, then erases old ones and what was asked in vain before.

        Raises KnowledgeUnavailableError, and RegistryGoneError where nobody can say which calls still run.
        """
        running = [record.id for record in await self._registry.sessions()]
        if lost := await self._calls.close_lost(before=now - timedelta(seconds=FIRST_SWEEP_SECS), running=running):
            logger.warning("{} calls are closed as lost: nobody saw their end", lost)
        before = now - timedelta(days=self._keep_days)
        erased = 0
        while batch := await self._calls.erase_before(before, limit=BATCH):
            erased += batch
            await asyncio.sleep(PAUSE_SECS)
        is_more = True
        while is_more:
            is_more = await self._gaps.forget_before(before, limit=BATCH)
            await asyncio.sleep(PAUSE_SECS)
        if erased:
            logger.info("{} calls older than {} days are erased", erased, self._keep_days)
