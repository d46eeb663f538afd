"""A knowledge of its own for a measurement: a database, an indexer and a search beside a server that may run."""

import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from knowledge.client import KnowledgeClient
from knowledge.database import Database
from knowledge.jobs import IndexRequest, Job, JobStore
from knowledge.lexical_sync import LexicalSync
from knowledge.queue import Queue
from knowledge.store import Store
from server.errors import SetupError
from server.knowledge import ended, indexer, retrieval
from server.processes import SupervisedProcess
from server.resources import open_database, open_queue_app
from server.settings import Settings

# Quality is measured with it, not whether an answer comes in time: nothing is lost to a busy machine.
SEARCH_SECS = 10.0


@dataclass(frozen=True)
class OwnKnowledge:
    """What was made; `search` starts what answers once all is indexed."""

    settings: Settings
    stack: AsyncExitStack
    database_url: str
    database: Database
    queue: Queue

    async def index(self, request: IndexRequest, *, progress: Callable[[Job], None] = lambda _: None) -> Job:
        """Index and return the job as it ended."""
        job_id = await self.queue.submit(request)
        process = indexer(self.settings, self.database_url)
        await process.start()
        try:
            job = await ended(job_id, jobs=JobStore(self.database), progress=progress)
        finally:
            await process.stop()
        if job.error is not None:
            raise SetupError("The documents could not be indexed; what the indexer said stands above.")
        return job

    async def is_indexed(self, collection: str) -> bool:
        """Whether the collection is stored as a whole: an index that was interrupted is not."""
        is_there = collection in await Store(self.database).collections()
        return is_there and collection not in {each for _, each in await JobStore(self.database).unfinished()}

    async def search(self) -> tuple[KnowledgeClient, SupervisedProcess]:
        """Start the search and return what asks it, and its process; both end with the knowledge."""
        sync = LexicalSync(database=self.database, folder=self.settings.lexical_dir)
        with sync.lock() as is_ours:
            if is_ours:
                await sync.catch_up()
        process = retrieval(self.settings, self.database_url)
        self.stack.push_async_callback(process.stop)
        await process.start()
        client = KnowledgeClient(self.settings.knowledge_socket, timeout_secs=SEARCH_SECS)
        self.stack.push_async_callback(client.aclose)
        return client, process


@asynccontextmanager
async def own_knowledge(settings: Settings, *, folder: Path | None = None) -> AsyncIterator[OwnKnowledge]:
    """An empty knowledge that is thrown away at the end; with a `folder`, what is in it, and it is kept."""
    async with AsyncExitStack() as stack:
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jarvis-eval-")))
        folder.mkdir(parents=True, exist_ok=True)
        # Postgres may run as an account that must be let in.
        folder.chmod(0o755)
        own = settings.model_copy(update={"data_dir": folder, "database_url": None})
        own.prepare_dirs()
        database_url, pool = await stack.enter_async_context(open_database(own))
        app = await stack.enter_async_context(open_queue_app(database_url))
        database = Database(pool)
        await database.migrate()
        queue = Queue(app=app, database=database)
        await queue.prepare()
        inner = await stack.enter_async_context(AsyncExitStack())
        yield OwnKnowledge(own, inner, database_url, database, queue)
