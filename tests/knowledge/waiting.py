"""Waiting for what an indexer does."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from knowledge.jobs import Job, JobStore
from knowledge.lexical import read_state
from knowledge.store import Store

PATIENCE_SECS = 60.0


async def reached(jobs: JobStore, job_id: UUID, done: Callable[[Job], bool]) -> Job:
    """Wait until the job stands like this."""
    async with asyncio.timeout(PATIENCE_SECS):
        while True:
            job = await jobs.get(job_id)
            assert job is not None
            if done(job):
                return job
            await asyncio.sleep(0.02)


async def words_caught_up(store: Store, lexical_dir: Path) -> None:
    """Wait until the index of words holds the last change."""
    async with asyncio.timeout(PATIENCE_SECS):
        while True:
            state = read_state(lexical_dir)
            if state is not None and not await store.changes(after=state.change, limit=1):
                return
            await asyncio.sleep(0.05)
