"""Real indexers, killed, stopped and robbed of their database."""

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from psycopg_pool import AsyncConnectionPool

from knowledge.database import Database, prepare_connection
from knowledge.embedders.minilm import MODEL_ID
from knowledge.jobs import IndexRequest, Job, JobStore
from knowledge.lexical import LexicalReader
from knowledge.queue import Queue, queue_app
from knowledge.store import Store
from knowledge.vectors import VectorStore
from server.embedded.postgres import EmbeddedPostgres
from tests.knowledge.waiting import PATIENCE_SECS, reached, words_caught_up

pytestmark = pytest.mark.integration

MANY = 36

Launch = Callable[[], Awaitable[Process]]


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """A folder of small documents."""
    docs = tmp_path / "docs"
    docs.mkdir()
    for number in range(MANY):
        (docs / f"{number:03}.md").write_text(f"# Room {number}\n\nIt is on floor {number // 10}.\n\n## Key\n\nAsk us.")
    return docs


@asynccontextmanager
async def launching(database_url: str, models_dir: Path, lexical_dir: Path) -> AsyncIterator[Launch]:
    """Yield what starts a real indexer and waits until it is ready; all are dead in the end."""
    children: list[Process] = []
    startup = {
        "database_url": database_url,
        "models_dir": str(models_dir),
        "lexical_dir": str(lexical_dir),
        "embedder": {"provider": "minilm"},
    }

    async def launch() -> Process:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "knowledge.indexer",
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env={**os.environ, "OMP_NUM_THREADS": "1", "LOGURU_LEVEL": "ERROR"},
        )
        children.append(child)
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps(startup).encode() + b"\n")
        assert await asyncio.wait_for(child.stdout.readline(), PATIENCE_SECS) == b"ready\n"
        return child

    try:
        yield launch
    finally:
        for child in children:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()


@pytest.fixture
async def launch(database: Database, database_url: str, models_dir: Path, lexical_dir: Path) -> AsyncIterator[Launch]:
    async with launching(database_url, models_dir, lexical_dir) as launch:
        yield launch


async def said(child: Process) -> tuple[int | None, str]:
    """Wait for the end; returns (exit code, stderr)."""
    assert child.stderr is not None
    async with asyncio.timeout(PATIENCE_SECS):
        stderr = await child.stderr.read()
        return await child.wait(), stderr.decode()


def is_under_way(job: Job) -> bool:
    assert not job.has_ended
    return job.done >= MANY // 6


async def assert_whole(store: Store, vectors: VectorStore) -> None:
    """Every document is there once and was indexed once, with all of its vectors."""
    documents = await store.list_documents()
    assert len({each.source for each in documents}) == len(documents) == MANY
    assert {(each.version, each.status, each.chunks) for each in documents} == {(1, "ready", 2)}
    model = await vectors.current()
    assert model is not None
    assert (model.model_id, await vectors.count_missing(model)) == (MODEL_ID, 0)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_a_job_goes_on_with_the_next_indexer_however_the_first_one_ended(
    number: signal.Signals,
    many: Path,
    launch: Launch,
    queue: Queue,
    jobs: JobStore,
    store: Store,
    vectors: VectorStore,
    lexical_dir: Path,
) -> None:
    first = await launch()
    job_id = await queue.submit(IndexRequest(paths=(str(many),)))
    await reached(jobs, job_id, is_under_way)
    first.send_signal(number)
    code, stderr = await said(first)
    left = await jobs.get(job_id)
    await launch()
    job = await reached(jobs, job_id, lambda job: job.has_ended)
    assert (code, stderr) == (-9 if number is signal.SIGKILL else 0, "")
    assert left is not None
    assert (left.state, left.done < MANY) == ("running", True)
    assert (job.state, job.error, job.counts) == ("done", None, {"added": MANY})
    await assert_whole(store, vectors)
    await words_caught_up(store, lexical_dir)
    assert LexicalReader(lexical_dir, collection="default").windows == 2 * MANY


async def test_an_indexer_that_waits_takes_over_when_the_first_one_dies(
    many: Path, launch: Launch, queue: Queue, jobs: JobStore, store: Store, vectors: VectorStore
) -> None:
    first = await launch()
    job_id = await queue.submit(IndexRequest(paths=(str(many),)))
    await reached(jobs, job_id, lambda job: job.state == "running")
    second = await launch()
    await reached(jobs, job_id, is_under_way)
    first.kill()
    job = await reached(jobs, job_id, lambda job: job.has_ended)
    assert (job.state, job.counts, second.returncode) == ("done", {"added": MANY}, None)
    await assert_whole(store, vectors)


async def test_an_indexer_ends_with_its_parent(launch: Launch) -> None:
    child = await launch()
    assert child.stdin is not None
    child.stdin.close()
    assert await said(child) == (0, "")


@pytest.fixture
def postgres() -> Iterator[EmbeddedPostgres]:
    """A Postgres of the test's own, to be stopped and started, not started yet."""
    path = Path(tempfile.mkdtemp(prefix="jarvis-tests-"))
    path.chmod(0o755)
    yield EmbeddedPostgres(path)
    shutil.rmtree(path, ignore_errors=True)


@asynccontextmanager
async def connected(database_url: str) -> AsyncIterator[Database]:
    async with AsyncConnectionPool(
        database_url, min_size=1, max_size=4, open=False, configure=prepare_connection
    ) as pool:
        database = Database(pool)
        await database.migrate()
        yield database


async def test_a_database_that_goes_away_ends_the_indexer_and_another_one_goes_on_when_it_is_back(
    many: Path, postgres: EmbeddedPostgres, models_dir: Path, lexical_dir: Path
) -> None:
    try:
        database_url = await postgres.start()
        async with (
            launching(database_url, models_dir, lexical_dir) as launch,
            connected(database_url) as database,
            queue_app(database_url).open_async() as app,
        ):
            queue = Queue(app=app, database=database)
            await queue.prepare()
            first = await launch()
            job_id = await queue.submit(IndexRequest(paths=(str(many),)))
            await reached(JobStore(database), job_id, is_under_way)
            await postgres.stop()
            code, stderr = await asyncio.wait_for(said(first), 40)
        database_url = await postgres.start()
        async with launching(database_url, models_dir, lexical_dir) as launch, connected(database_url) as database:
            await launch()
            job = await reached(JobStore(database), job_id, lambda job: job.has_ended)
            await assert_whole(Store(database), VectorStore(database))
    finally:
        await postgres.stop()
    assert (code, stderr.splitlines()[-1]) == (1, "The knowledge database is gone, or late; see that Postgres runs.")
    assert "Traceback" not in stderr
    assert (job.state, job.counts) == ("done", {"added": MANY})
