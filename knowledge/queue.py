"""The queue of indexing jobs: procrastinate, in the same Postgres."""

from uuid import UUID

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Status

from knowledge.database import BULK_TIMEOUT_SECS, Database
from knowledge.errors import KnowledgeUnavailableError
from knowledge.jobs import IndexRequest, JobStore
from knowledge.store import Store

QUEUE = "knowledge"
TASK = "knowledge.index"


class Queue:
    """Puts jobs into the queue; the indexer takes them out."""

    def __init__(self, *, app: App, database: Database) -> None:
        self._app = app
        self._database = database
        self._jobs = JobStore(database)
        self._store = Store(database)

    async def prepare(self) -> None:
        """Create the queue's tables where they are missing."""
        async with self._database.transaction(BULK_TIMEOUT_SECS) as statements:
            await statements.run("lock_schema")
            if not await self._app.check_connection_async():
                await self._app.schema_manager.apply_schema_async()

    async def submit(self, request: IndexRequest) -> UUID:
        """Store and queue a job, and return its id; the collection is made where it is new."""
        await self._store.make_collection(request.collection)
        job_id = await self._jobs.add(request)
        await self._defer(job_id, request.collection)
        return job_id

    async def resume(self) -> int:
        """Queue again what a dead indexer left, and return how many jobs that is; only the one indexer may do it."""
        left = await self._app.job_manager.list_jobs_async(queue=QUEUE, status=Status.DOING.value)
        for job in left:
            await self._app.job_manager.retry_job(job)
        resumed = 0
        for job_id, collection in await self._jobs.unfinished():
            resumed += await self._defer(job_id, collection)
        return resumed + len(list(left))

    async def _defer(self, job_id: UUID, collection: str) -> bool:
        """Queue a job; jobs of one collection run one after the other. False when it is queued already."""
        task = self._app.configure_task(TASK, queue=QUEUE, lock=f"collection {collection}", queueing_lock=str(job_id))
        try:
            await task.defer_async(job_id=str(job_id))
        except AlreadyEnqueued:
            return False
        except ConnectorException as error:
            raise KnowledgeUnavailableError(
                "The job could not be queued; check that Postgres runs and that its URL is right."
            ) from error
        return True


def queue_app(database_url: str) -> App:
    """Return the queue's application, to be opened with `async with app.open_async()`."""
    connector = PsycopgConnector(
        conninfo=database_url, min_size=1, max_size=4, timeout=5, kwargs={"connect_timeout": 5}
    )
    return App(connector=connector)
