import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from psycopg_pool import AsyncConnectionPool

from knowledge.database import Database, prepare_connection
from knowledge.embedders.fake import FakeEmbedder
from knowledge.fetching.fetcher import Fetcher
from knowledge.ingest import Ingest
from knowledge.jobs import IndexRequest, Job, JobStore
from knowledge.loaders.reader import DocumentReader
from knowledge.queue import Queue, queue_app
from knowledge.store import DEFAULT_COLLECTION, Store
from knowledge.vectors import Model, VectorStore
from tests.knowledge.fetching.conftest import fetcher, limits, site

__all__ = ["fetcher", "limits", "site"]

Index = Callable[[IndexRequest], Awaitable[Job]]

# Drops the vectors and empties every other table, the queue's too; what says which version they are of stays.
EMPTY = """
do $$
declare
    names text;
begin
    select string_agg(format('%I', relname), ', ') into names
    from pg_class where relnamespace = 'public'::regnamespace and relkind = 'p';
    if names is not null then
        execute 'drop table ' || names;
    end if;
    select string_agg(format('%I', tablename), ', ') into names
    from pg_tables where schemaname = 'public' and tablename <> 'migrations';
    execute 'truncate ' || names || ' restart identity cascade';
end
$$
"""


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[AsyncConnectionPool[Any]]:
    async with AsyncConnectionPool(
        database_url, min_size=1, max_size=4, open=False, configure=prepare_connection
    ) as pool:
        yield pool


@pytest.fixture
async def database(pool: AsyncConnectionPool[Any]) -> Database:
    """The knowledge tables with nothing in them, not even a collection."""
    database = Database(pool)
    await database.migrate()
    async with pool.connection() as connection:
        await connection.execute(EMPTY)
    return database


@pytest.fixture
async def store(database: Database) -> Store:
    """A store with the default collection and nothing in it."""
    store = Store(database)
    await store.make_collection(DEFAULT_COLLECTION)
    return store


@pytest.fixture
async def vectors(database: Database) -> VectorStore:
    return VectorStore(database)


@pytest.fixture
async def jobs(database: Database) -> JobStore:
    return JobStore(database)


@pytest.fixture
async def queue(database: Database, database_url: str) -> AsyncIterator[Queue]:
    """An empty queue."""
    async with queue_app(database_url).open_async() as app:
        queue = Queue(app=app, database=database)
        await queue.prepare()
        yield queue


@pytest.fixture
def embedder() -> FakeEmbedder:
    return FakeEmbedder()


@pytest.fixture
async def model(vectors: VectorStore, embedder: FakeEmbedder) -> Model:
    """The fake embedder's model, which searches use."""
    return await vectors.add(model_id=embedder.model_id, dimensions=embedder.dimensions)


def word_spans(text: str) -> list[tuple[int, int]]:
    """Start and end of each word and sign, in place of a model's tokens."""
    return [match.span() for match in re.finditer(r"\w+|[^\w\s]", text)]


@pytest.fixture
async def ingest(
    store: Store, vectors: VectorStore, jobs: JobStore, embedder: FakeEmbedder, model: Model, fetcher: Fetcher
) -> AsyncIterator[Ingest]:
    """Indexes with the fake embedder, and fetches from the `site` of the test."""
    reader = DocumentReader()
    yield Ingest(
        store=store,
        vectors=vectors,
        jobs=jobs,
        embedder=embedder,
        model=model,
        reader=reader,
        fetcher=fetcher,
        token_spans=word_spans,
    )
    await reader.aclose()


@pytest.fixture
def index(ingest: Ingest, jobs: JobStore) -> Index:
    """Carries out a request and returns the job as it ended."""

    async def run(request: IndexRequest) -> Job:
        job_id = await jobs.add(request)
        await ingest.run(job_id)
        job = await jobs.get(job_id)
        assert job is not None
        return job

    return run


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """A folder of two documents, one of them with a title of its own."""
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "refunds.md").write_text("# Giving back\n\nThirty days.\n\n## Cost\n\nFree.")
    (docs / "pool.txt").write_text("The pool opens at seven.")
    return docs


@pytest.fixture
def lexical_dir(tmp_path: Path) -> Path:
    """Where the indexes of words go; not made yet."""
    return tmp_path / "lexical"
