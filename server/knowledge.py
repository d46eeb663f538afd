"""The two processes of the knowledge: one that searches, one that indexes."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from knowledge.child import Lingering
from knowledge.embedders.settings import REVEAL
from knowledge.indexer import Startup as IndexerStartup
from knowledge.jobs import Job, JobStore
from knowledge.process import Startup as RetrievalStartup
from server.embedded.leave import leave_command
from server.embedded.postgres import EmbeddedPostgres
from server.processes import SupervisedProcess
from server.settings import Settings

POLL_SECS = 0.1


def retrieval(settings: Settings, database_url: str, *, socket: Path | None = None) -> SupervisedProcess:
    """The process that calls ask, not started yet; at a `socket` of its own, it leaves that of a server alone.

    That of a server stays for the calls that go on without one, and keeps the embedded Postgres for so long.
    """
    data_dir = settings.data_dir
    calls = Lingering(
        calls_dir=settings.bots_dir, uses=(EmbeddedPostgres(data_dir).users_lock,), then=leave_command(data_dir)
    )
    startup = RetrievalStartup(
        socket=socket or settings.knowledge_socket,
        database_url=database_url,
        models_dir=settings.models_dir,
        lexical_dir=settings.lexical_dir,
        embedder=settings.embedder_settings(),
        lingering=None if socket else calls,
        log=settings.log("retrieval"),
    )
    wanted = startup.model_dump(mode="json", context=REVEAL)
    return SupervisedProcess("retrieval", module="knowledge.process", settings=wanted, environment=os.environ)


def indexer(settings: Settings, database_url: str) -> SupervisedProcess:
    """The process that takes indexing jobs, not started yet; it waits where another indexer works."""
    startup = IndexerStartup(
        database_url=database_url,
        models_dir=settings.models_dir,
        lexical_dir=settings.lexical_dir,
        embedder=settings.embedder_settings(),
        log=settings.log("indexer"),
    )
    wanted = startup.model_dump(mode="json", context=REVEAL)
    return SupervisedProcess("indexer", module="knowledge.indexer", settings=wanted, environment=os.environ)


async def ended(job_id: UUID, *, jobs: JobStore, progress: Callable[[Job], None] = lambda _: None) -> Job:
    """Wait for an indexing job to end, and return it; `progress` is told how far it is."""
    while True:
        job = await jobs.get(job_id)
        assert job is not None, "a job is kept for a month"
        if job.has_ended:
            return job
        progress(job)
        await asyncio.sleep(POLL_SECS)
