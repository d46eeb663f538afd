import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest

from knowledge import indexer as indexer_module
from knowledge.database import Database
from knowledge.embedders.fake import FakeEmbedder
from knowledge.errors import EmbeddingError, KnowledgeUnavailableError
from knowledge.expansion import Expansion
from knowledge.indexer import Indexer
from knowledge.jobs import IndexRequest, JobStore, Upload
from knowledge.lexical import LexicalReader
from knowledge.queue import Queue, queue_app
from knowledge.store import Store
from knowledge.vectors import Model, VectorStore
from tests.knowledge.waiting import PATIENCE_SECS, reached, words_caught_up

pytestmark = pytest.mark.integration


@asynccontextmanager
async def working(
    database: Database, database_url: str, embedder: FakeEmbedder, lexical_dir: Path
) -> AsyncIterator[asyncio.Task[None]]:
    """Yield an indexer's work in this process."""
    async with queue_app(database_url).open_async() as app:
        indexer = Indexer(
            app=app, database=database, database_url=database_url, embedder=embedder, lexical_dir=lexical_dir
        )
        work = asyncio.create_task(indexer.work())
        try:
            yield work
        finally:
            work.cancel()
            with suppress(BaseException):
                await work


async def failure(work: asyncio.Task[None]) -> BaseException:
    """Wait for the work to fail."""
    async with asyncio.timeout(PATIENCE_SECS):
        await asyncio.wait([work])
    error = work.exception()
    assert error is not None
    return error


async def switched(vectors: VectorStore) -> Model:
    """Wait until one model is left, and return it."""
    async with asyncio.timeout(PATIENCE_SECS):
        while True:
            models = await vectors.models()
            if len(models) == 1:
                return models[0]
            await asyncio.sleep(0.02)


class Gated(FakeEmbedder):
    """Embeds only once the gate is open; `asked` is set when it was asked for the first time."""

    def __init__(self, *, model_id: str = "fake") -> None:
        super().__init__(model_id=model_id)
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()

    async def embed(self, texts: Sequence[str]) -> np.ndarray:
        self.asked.set()
        await self.gate.wait()
        return await super().embed(texts)


class Refusing(FakeEmbedder):
    async def embed(self, texts: Sequence[str]) -> np.ndarray:
        raise EmbeddingError("The service refuses the key; check it.")


UPLOAD = IndexRequest(uploads=(Upload("a.md", b"# Pool\n\nIt opens at seven."),))


async def test_what_was_indexed_can_soon_be_found_by_its_words(
    queue: Queue, database: Database, database_url: str, embedder: FakeEmbedder, lexical_dir: Path, store: Store
) -> None:
    async with working(database, database_url, embedder, lexical_dir):
        job_id = await queue.submit(UPLOAD)
        await reached(JobStore(database), job_id, lambda job: job.has_ended)
        await words_caught_up(store, lexical_dir)
    found = LexicalReader(lexical_dir, collection="default").search(
        "words", [(1.0, ["pool"])], access=(), today=date.today(), limit=10
    )
    assert len(found) == 1


async def test_a_job_in_one_collection_does_not_wait_for_another(
    queue: Queue, database: Database, database_url: str, lexical_dir: Path
) -> None:
    class Slow(Gated):
        async def embed(self, texts: Sequence[str]) -> np.ndarray:
            if "slow" not in texts[0]:
                return await FakeEmbedder.embed(self, texts)
            return await super().embed(texts)

    embedder = Slow()
    jobs = JobStore(database)
    async with working(database, database_url, embedder, lexical_dir):
        slow = await queue.submit(IndexRequest(collection="slow", uploads=(Upload("a.md", b"A slow one."),)))
        await asyncio.wait_for(embedder.asked.wait(), PATIENCE_SECS)
        quick = await queue.submit(UPLOAD)
        await reached(jobs, quick, lambda job: job.has_ended)
        waiting = await jobs.get(slow)
    assert waiting is not None
    assert waiting.state == "running"


async def test_jobs_of_one_collection_run_one_after_the_other(
    queue: Queue, database: Database, database_url: str, lexical_dir: Path
) -> None:
    embedder = Gated()
    jobs = JobStore(database)
    async with working(database, database_url, embedder, lexical_dir):
        first = await queue.submit(UPLOAD)
        second = await queue.submit(UPLOAD)
        await asyncio.wait_for(embedder.asked.wait(), PATIENCE_SECS)
        waiting = await jobs.get(second)
        embedder.gate.set()
        ended = [await reached(jobs, job_id, lambda job: job.has_ended) for job_id in (first, second)]
    assert waiting is not None
    assert (waiting.state, [job.counts for job in ended]) == ("queued", [{"added": 1}, {"unchanged": 1}])


async def test_another_model_takes_over_once_it_has_all_vectors(
    queue: Queue, database: Database, database_url: str, lexical_dir: Path, vectors: VectorStore
) -> None:
    jobs = JobStore(database)
    async with working(database, database_url, FakeEmbedder(), lexical_dir):
        await reached(jobs, await queue.submit(UPLOAD), lambda job: job.has_ended)
    other = Gated(model_id="other")
    async with working(database, database_url, other, lexical_dir):
        await asyncio.wait_for(other.asked.wait(), PATIENCE_SECS)
        during = await vectors.current()
        other.gate.set()
        after = await switched(vectors)
    assert during is not None
    assert (during.model_id, after.model_id, await vectors.count_missing(after)) == ("fake", "other", 0)


async def test_an_interrupted_change_of_models_goes_on_where_it_stood(
    queue: Queue,
    database: Database,
    database_url: str,
    lexical_dir: Path,
    vectors: VectorStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tired = asyncio.Event()

    class Tiring(FakeEmbedder):
        async def embed(self, texts: Sequence[str]) -> np.ndarray:
            if len(self.embedded) >= 4:
                tired.set()
                await asyncio.Event().wait()
            return await super().embed(texts)

    monkeypatch.setattr(indexer_module, "FILL_BATCH", 2)
    uploads = tuple(Upload(f"{n}.md", f"Room {n}.".encode()) for n in range(10))
    async with working(database, database_url, FakeEmbedder(), lexical_dir):
        job_id = await queue.submit(IndexRequest(uploads=uploads))
        await reached(JobStore(database), job_id, lambda job: job.has_ended)
    async with working(database, database_url, Tiring(model_id="other"), lexical_dir):
        await asyncio.wait_for(tired.wait(), PATIENCE_SECS)
    other = FakeEmbedder(model_id="other")
    async with working(database, database_url, other, lexical_dir):
        await switched(vectors)
    assert len(other.embedded) == 6


async def test_an_embedder_that_keeps_failing_ends_the_job_with_its_reason(
    queue: Queue, database: Database, database_url: str, lexical_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexer_module, "EMBEDDING_ATTEMPTS", 1)
    async with working(database, database_url, Refusing(), lexical_dir):
        job_id = await queue.submit(UPLOAD)
        job = await reached(JobStore(database), job_id, lambda job: job.has_ended)
    assert (job.state, job.error) == ("failed", "The service refuses the key; check it.")


async def test_a_job_that_breaks_in_a_way_that_nobody_foresaw_ends_and_the_next_one_runs(
    queue: Queue,
    database: Database,
    database_url: str,
    embedder: FakeEmbedder,
    lexical_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    items = Expansion.items

    async def odd(self: Expansion, request: IndexRequest) -> Any:
        if request.paths:
            raise ZeroDivisionError
        return await items(self, request)

    monkeypatch.setattr(Expansion, "items", odd)
    jobs = JobStore(database)
    async with working(database, database_url, embedder, lexical_dir):
        broken = await reached(jobs, await queue.submit(IndexRequest(paths=("/docs",))), lambda job: job.has_ended)
        next_one = await reached(jobs, await queue.submit(UPLOAD), lambda job: job.has_ended)
    assert (broken.state, next_one.state) == ("failed", "done")
    assert broken.error is not None
    assert "ZeroDivisionError" in broken.error


async def test_a_database_that_is_late_ends_the_indexer_and_not_the_job(
    queue: Queue,
    database: Database,
    database_url: str,
    embedder: FakeEmbedder,
    lexical_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def late(self: Store, **_: Any) -> None:
        raise KnowledgeUnavailableError("The knowledge database does not answer.")

    jobs = JobStore(database)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "write_document", late)
        async with working(database, database_url, embedder, lexical_dir) as work:
            job_id = await queue.submit(UPLOAD)
            error = await failure(work)
    left = await jobs.get(job_id)
    async with working(database, database_url, embedder, lexical_dir):
        job = await reached(jobs, job_id, lambda job: job.has_ended)
    assert isinstance(error, BaseExceptionGroup)
    assert error.split(KnowledgeUnavailableError)[1] is None
    assert left is not None
    assert (left.state, job.counts) == ("running", {"added": 1})


async def backends(database_url: str, *, having: str) -> list[int]:
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        cursor = await connection.execute(having.encode())
        return [pid for (pid,) in await cursor.fetchall()]


@pytest.mark.parametrize(
    "connection",
    [
        "select pid from pg_locks where locktype = 'advisory' and granted",
        "select pid from pg_stat_activity where query = 'listen knowledge_changed;'",
    ],
    ids=["the lock", "the news of changes"],
)
async def test_an_indexer_that_lost_its_connection_ends(
    connection: str, queue: Queue, database: Database, database_url: str, embedder: FakeEmbedder, lexical_dir: Path
) -> None:
    async with working(database, database_url, embedder, lexical_dir) as work:
        await reached(JobStore(database), await queue.submit(UPLOAD), lambda job: job.has_ended)
        (pid,) = await backends(database_url, having=connection)
        await backends(database_url, having=f"select {pid} where pg_terminate_backend({pid})")
        error = await asyncio.wait_for(failure(work), 20)
    assert isinstance(error, BaseExceptionGroup)
    assert error.split(psycopg.OperationalError)[1] is None


async def test_an_indexer_whose_queue_fails_ends(
    queue: Queue, database: Database, database_url: str, embedder: FakeEmbedder, lexical_dir: Path
) -> None:
    async with working(database, database_url, embedder, lexical_dir) as work:
        await reached(JobStore(database), await queue.submit(UPLOAD), lambda job: job.has_ended)
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
            await connection.execute("alter table procrastinate_jobs rename to elsewhere")
            try:
                error = await asyncio.wait_for(failure(work), 20)
            finally:
                await connection.execute("alter table elsewhere rename to procrastinate_jobs")
    assert isinstance(error, BaseExceptionGroup)
    assert error.split(KnowledgeUnavailableError)[1] is None
