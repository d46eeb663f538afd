"""The indexer: takes indexing jobs from the queue and keeps every index in line with the documents.

`python -m knowledge.indexer` reads one line of JSON from stdin (`Startup`), prints `ready`, and ends on SIGTERM or when
stdin ends, as its parent is then gone. Any number may run; one works and the others wait for its end. A job that an
indexer left unfinished, however it ended, goes on with the next one from the same document.
"""

import asyncio
import logging
import os
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from uuid import UUID

import psycopg
from loguru import logger
from procrastinate import App, JobContext, RetryStrategy
from procrastinate.exceptions import ConnectorException
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel

from knowledge.child import run_child
from knowledge.database import Database, migrated, prepare_connection
from knowledge.embedders import Embedder
from knowledge.embedders.minilm import load_tokenizer, token_spans
from knowledge.embedders.settings import EmbedderSettings
from knowledge.errors import EmbeddingError, KnowledgeUnavailableError
from knowledge.fetching.fetcher import Fetcher
from knowledge.fetching.pace import Pace
from knowledge.ingest import Ingest
from knowledge.jobs import JobStore
from knowledge.lexical_sync import LexicalSync
from knowledge.loaders.reader import DocumentReader
from knowledge.logs import LogSettings
from knowledge.queue import QUEUE, TASK, Queue, queue_app
from knowledge.sql import queries
from knowledge.statistics import recount
from knowledge.store import Store
from knowledge.vectors import Model, VectorStore

CONNECTIONS = 6
WAIT_SECS = 0.5
# Changes come in bursts, one a document.
DEBOUNCE_SECS = 0.1
# Two, so that an upload into one collection does not wait for a large folder in another.
JOBS_AT_ONCE = 2
POLL_SECS = 0.5
FILL_BATCH = 32
EMBEDDING_ATTEMPTS = 6
EMBEDDING_REST_SECS = 30.0

_GONE = "The knowledge database is gone, or late; see that Postgres runs."


class Startup(BaseModel):
    """What the parent says on the first line of stdin."""

    database_url: str
    models_dir: Path
    lexical_dir: Path
    embedder: EmbedderSettings
    log: LogSettings | None = None


class Indexer:
    """One indexer's work, from the moment that it has the locks."""

    def __init__(
        self, *, app: App, database: Database, database_url: str, embedder: Embedder, lexical_dir: Path
    ) -> None:
        self._app = app
        self._database_url = database_url
        self._database = database
        self._embedder = embedder
        self._store = Store(database)
        self._vectors = VectorStore(database)
        self._jobs = JobStore(database)
        self._sync = LexicalSync(database=database, folder=lexical_dir)
        self._changed = asyncio.Event()

    async def work(self) -> None:
        """Work until cancelled, or until the database is gone."""
        async with (
            await psycopg.AsyncConnection.connect(self._database_url, autocommit=True, connect_timeout=5) as connection,
            asyncio.TaskGroup() as tasks,
        ):
            tasks.create_task(self._keep_words())
            tasks.create_task(self._listen())
            await self._lock(connection)
            tasks.create_task(self._hold_lock(connection))
            model = await self._vectors.add(model_id=self._embedder.model_id, dimensions=self._embedder.dimensions)
            await self._jobs.forget_old()
            await self._store.forget_removals()
            tasks.create_task(self._fill(model))
            tasks.create_task(self._take_jobs(model))

    async def _lock(self, connection: psycopg.AsyncConnection) -> None:
        while True:
            cursor = await connection.execute(queries()["try_lock_indexer"])
            row = await cursor.fetchone()
            if row is not None and row[0]:
                return
            await asyncio.sleep(WAIT_SECS)

    async def _hold_lock(self, connection: psycopg.AsyncConnection) -> None:
        """Fail once the connection is lost, since another indexer may have the lock then."""
        async for _ in connection.notifies():
            pass

    async def _listen(self) -> None:
        async with await psycopg.AsyncConnection.connect(
            self._database_url, autocommit=True, connect_timeout=5
        ) as connection:
            await connection.execute(queries()["listen_changed"])
            self._changed.set()
            async for _ in connection.notifies():
                self._changed.set()

    async def _keep_words(self) -> None:
        while True:
            with self._sync.lock() as is_ours:
                while is_ours:
                    await self._changed.wait()
                    await asyncio.sleep(DEBOUNCE_SECS)
                    self._changed.clear()
                    await self._sync.catch_up()
            await asyncio.sleep(WAIT_SECS)

    async def _fill(self, model: Model) -> None:
        """Embed what this model has no vector of, and let searches use it once it has all."""
        current = await self._vectors.current()
        is_new = current is None or current.no != model.no
        if is_new:
            logger.info("Embedding {} windows with {}", await self._vectors.count_missing(model), model.model_id)
        while windows := await self._vectors.missing(model, limit=FILL_BATCH):
            try:
                embeddings = await self._embedder.embed([window.indexed_text for window in windows])
            except EmbeddingError as error:
                logger.warning("{} Trying again in {} s.", error, EMBEDDING_REST_SECS)
                await asyncio.sleep(EMBEDDING_REST_SECS)
                continue
            await self._vectors.fill(model, windows, embeddings)
        await self._vectors.switch_to(model)
        if is_new:
            logger.info("Searches use {} from now on", model.model_id)
            for collection in await self._store.collections():
                await recount(collection, store=self._store, vectors=self._vectors)

    async def _take_jobs(self, model: Model) -> None:
        lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        async with AsyncExitStack() as stack:
            reader = DocumentReader()
            stack.push_async_callback(reader.aclose)
            fetcher = await stack.enter_async_context(Fetcher(pace=Pace()))
            ingest = Ingest(
                store=self._store,
                vectors=self._vectors,
                jobs=self._jobs,
                embedder=self._embedder,
                model=model,
                reader=reader,
                fetcher=fetcher,
                token_spans=partial(token_spans, await asyncio.to_thread(load_tokenizer)),
            )

            @self._app.task(
                name=TASK,
                queue=QUEUE,
                pass_context=True,
                retry=RetryStrategy(
                    max_attempts=EMBEDDING_ATTEMPTS, exponential_wait=4, retry_exceptions={EmbeddingError}
                ),
            )
            async def index(context: JobContext, *, job_id: str) -> None:
                try:
                    await self._index(ingest, UUID(job_id), is_last=context.job.attempts + 1 >= EMBEDDING_ATTEMPTS)
                except KnowledgeUnavailableError as error:
                    # The queue forgets this job now; the next indexer takes it up.
                    if not lost.done():
                        lost.set_exception(error)
                    raise

            resumed = await Queue(app=self._app, database=self._database).resume()
            if resumed:
                logger.info("{} unfinished jobs go on", resumed)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._run_worker())
                await lost

    async def _index(self, ingest: Ingest, job_id: UUID, *, is_last: bool) -> None:
        """Run a job; what stops it ends it with a reason, unless another attempt or another indexer may mend it."""
        try:
            await ingest.run(job_id)
        except KnowledgeUnavailableError:
            raise
        except EmbeddingError as error:
            if not is_last:
                raise
            await self._jobs.end(job_id, error=str(error))
        except Exception as error:
            kind = type(error).__name__
            logger.error("Indexing job {} failed: {}", job_id, kind)
            await self._jobs.end(job_id, error=f"It broke off ({kind}); index again, and report it if that repeats.")

    async def _run_worker(self) -> None:
        """Take jobs until cancelled; raises KnowledgeUnavailableError when the queue is gone."""
        with suppress(ConnectorException):
            await self._app.run_worker_async(
                queues=[QUEUE],
                concurrency=JOBS_AT_ONCE,
                # A job that waits for another of its collection is not announced when its turn comes.
                fetch_job_polling_interval=POLL_SECS,
                install_signal_handlers=False,
                shutdown_graceful_timeout=0,
                delete_jobs="always",
            )
        # A worker that lost a connection may also just stop, without an error.
        raise KnowledgeUnavailableError(_GONE)


async def serve(startup: Startup) -> None:
    """Index until cancelled; raises KnowledgeError when the model or the schema cannot be had."""
    yield_to_calls()
    logging.getLogger("procrastinate").setLevel(logging.CRITICAL)
    async with AsyncExitStack() as stack:
        embedder = await startup.embedder.build(models_dir=startup.models_dir)
        stack.push_async_callback(embedder.aclose)
        pool = await stack.enter_async_context(
            AsyncConnectionPool(
                startup.database_url,
                min_size=1,
                max_size=CONNECTIONS,
                open=False,
                configure=prepare_connection,
                check=AsyncConnectionPool.check_connection,
            )
        )
        database = Database(pool)
        await migrated(database)
        app = await stack.enter_async_context(queue_app(startup.database_url).open_async())
        await Queue(app=app, database=database).prepare()
        indexer = Indexer(
            app=app,
            database=database,
            database_url=startup.database_url,
            embedder=embedder,
            lexical_dir=startup.lexical_dir,
        )
        print("ready", flush=True)
        try:
            await indexer.work()
        except* (psycopg.OperationalError, KnowledgeUnavailableError) as error:
            raise KnowledgeUnavailableError(_GONE) from error


def yield_to_calls() -> None:
    """Let every other process of this host go first."""
    os.nice(19)
    # Where the kernel groups processes by session, niceness counts within a group only, and the group has its own.
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text("19", encoding="ascii")


if __name__ == "__main__":
    run_child(serve, Startup)
