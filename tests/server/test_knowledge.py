"""The two processes of the knowledge, as the server starts them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from psycopg_pool import AsyncConnectionPool

from knowledge.client import KnowledgeClient
from knowledge.database import Database, prepare_connection
from knowledge.jobs import IndexRequest, Job, JobStore
from knowledge.queue import Queue, queue_app
from server.knowledge import ended, indexer, retrieval
from server.settings import Settings
from tests.vendors.openai_embeddings import KEY, OpenAIEmbeddings

pytestmark = pytest.mark.integration


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(data_dir=tmp_path)
    made.prepare_dirs()
    return made


@pytest.fixture
async def queue(database_url: str) -> AsyncIterator[tuple[Queue, JobStore]]:
    """The queue and the jobs, with nothing left of earlier ones."""
    async with (
        AsyncConnectionPool(database_url, min_size=1, max_size=2, open=False, configure=prepare_connection) as pool,
        queue_app(database_url).open_async() as app,
    ):
        database = Database(pool)
        await database.migrate()
        async with pool.connection() as connection:
            await connection.execute("truncate documents, gaps, index_jobs, embedding_models, collections cascade")
        queue = Queue(app=app, database=database)
        await queue.prepare()
        yield queue, JobStore(database)


@asynccontextmanager
async def running(settings: Settings, database_url: str) -> AsyncIterator[KnowledgeClient]:
    """What asks the search, with both processes at work."""
    async with AsyncExitStack() as stack:
        for process in (indexer(settings, database_url), retrieval(settings, database_url)):
            stack.push_async_callback(process.stop)
            await process.start()
        client = KnowledgeClient(settings.knowledge_socket, timeout_secs=5.0)
        stack.push_async_callback(client.aclose)
        yield client


async def test_both_processes_embed_with_what_the_operator_set(
    settings: Settings,
    database_url: str,
    queue: tuple[Queue, JobStore],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "pool.md").write_text("# Pool\n\nThe pool opens at seven.")
    server, (jobs, job_store) = OpenAIEmbeddings(), queue
    async with server.serving() as url:
        for name, value in {
            "OPENAI_API_KEY": KEY,
            "OPENAI_BASE_URL": url,
            "OPENAI_EMBEDDING_MODEL": "small",
        }.items():
            monkeypatch.setenv(name, value)
        remote = Settings(data_dir=settings.data_dir)
        async with running(remote, database_url) as client:
            shown: list[Job] = []
            job_id = await jobs.submit(IndexRequest(paths=(str(tmp_path / "pool.md"),)))
            job = await ended(job_id, jobs=job_store, progress=shown.append)
            (passage,) = (await client.search("when does the pool open", gated=False)).passages
    assert (job.state, job.counts) == ("done", {"added": 1})
    assert not any(each.has_ended for each in shown)
    assert passage.similarity is not None
    assert {body["model"] for body in server.asked} == {"small"}
