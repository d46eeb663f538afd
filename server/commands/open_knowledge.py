"""The knowledge as the commands work on it, beside a server that may run."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from knowledge.database import Database
from knowledge.gaps import GapStore
from knowledge.jobs import Job, JobStore
from knowledge.lexical_sync import LexicalSync
from knowledge.queue import Queue
from knowledge.store import Store
from server.knowledge import ended, indexer, retrieval
from server.processes import SupervisedProcess
from server.resources import open_database, open_queue_app
from server.settings import Settings


@dataclass(frozen=True)
class OpenKnowledge:
    """An open database and what is in it; processes that are started for it end with `stack`."""

    settings: Settings
    database_url: str
    database: Database
    stack: AsyncExitStack

    @property
    def store(self) -> Store:
        """The documents."""
        return Store(self.database)

    @property
    def jobs(self) -> JobStore:
        """The indexing jobs."""
        return JobStore(self.database)

    @property
    def gaps(self) -> GapStore:
        """The questions without an answer."""
        return GapStore(self.database)

    async def queue(self) -> Queue:
        """What takes indexing jobs."""
        app = await self.stack.enter_async_context(open_queue_app(self.database_url))
        queue = Queue(app=app, database=self.database)
        await queue.prepare()
        return queue

    async def done(self, job_id: UUID, *, progress: Callable[[Job], None] = lambda _: None) -> Job:
        """The job as it ended, by an indexer that works where no server's does."""
        process = indexer(self.settings, self.database_url)
        await process.start()
        try:
            return await ended(job_id, jobs=self.jobs, progress=progress)
        finally:
            await process.stop()

    async def serve_search(self, socket: Path) -> SupervisedProcess:
        """Start a process that searches on this socket, in indexes of words that are up to date."""
        sync = LexicalSync(database=self.database, folder=self.settings.lexical_dir)
        with sync.lock() as is_ours:
            if is_ours:
                await sync.catch_up()
        process = retrieval(self.settings, self.database_url, socket=socket)
        self.stack.callback(socket.unlink, missing_ok=True)  # the process leaves its path to a successor; none comes
        self.stack.push_async_callback(process.stop)
        await process.start()
        return process


@asynccontextmanager
async def open_knowledge(settings: Settings) -> AsyncIterator[OpenKnowledge]:
    """The knowledge of these settings, its tables made where they are missing; raises `SetupError`.

    Processes that are started for it log only what goes wrong: a command says itself what it does.
    """
    settings = settings.model_copy(update={"log_level": "WARNING"})
    settings.prepare_dirs()
    async with open_database(settings) as (database_url, pool), AsyncExitStack() as stack:
        database = Database(pool)
        await database.migrate()
        yield OpenKnowledge(settings, database_url, database, stack)
