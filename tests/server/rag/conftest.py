"""The knowledge's routes on a real database, with a retrieval process that answers by script."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiohttp import web
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient
from psycopg_pool import AsyncConnectionPool

from knowledge.client import KnowledgeClient
from knowledge.database import Database, prepare_connection
from knowledge.embedders.fake import FakeEmbedder
from knowledge.embedders.minilm import load_tokenizer, token_spans
from knowledge.fetching.fetcher import Fetcher
from knowledge.gaps import GapPassage, GapStore
from knowledge.ingest import Ingest
from knowledge.jobs import Job, JobStore
from knowledge.loaders.reader import DocumentReader
from knowledge.queue import Queue, queue_app
from knowledge.routes import create_app as create_retrieval
from knowledge.store import Store
from knowledge.types import SearchResult, Turn
from knowledge.vectors import VectorStore
from server import errors
from server.auth.fake import fake_guard
from server.rag.routes import rag
from server.services import Knowledge

KEY = "the operator's key"


class ScriptedRetriever:
    """Answers each search with the next result or error, and keeps what it was asked."""

    ready = True

    def __init__(self) -> None:
        self.answers: list[SearchResult | Exception] = []
        self.asked: list[dict[str, Any]] = []

    async def search(self, question: str, *, history: Sequence[Turn], **options: Any) -> SearchResult:
        self.asked.append({"question": question, "history": list(history), **options})
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The knowledge tables, empty."""
    async with AsyncConnectionPool(
        database_url, min_size=1, max_size=4, open=False, configure=prepare_connection
    ) as pool:
        database = Database(pool)
        await database.migrate()
        async with pool.connection() as connection:
            await connection.execute("truncate documents, gaps, index_jobs, embedding_models, collections cascade")
        yield database


@pytest.fixture
def retriever() -> ScriptedRetriever:
    return ScriptedRetriever()


@pytest.fixture
async def knowledge(
    database: Database, database_url: str, retriever: ScriptedRetriever, tmp_path: Path
) -> AsyncIterator[Knowledge]:
    """Everything as in a running server; nobody works on the queue."""
    store, gaps = Store(database), GapStore(database)
    retrieval = create_retrieval(retriever=retriever, store=store, gaps=gaps)  # pyright: ignore[reportArgumentType]
    runner = web.AppRunner(retrieval)
    await runner.setup()
    socket = tmp_path / "knowledge.sock"
    await web.UnixSite(runner, str(socket)).start()
    client = KnowledgeClient(socket, timeout_secs=5)
    async with queue_app(database_url).open_async() as app:
        queue = Queue(app=app, database=database)
        await queue.prepare()
        await store.make_collection("default")
        yield Knowledge(store=store, jobs=JobStore(database), queue=queue, gaps=gaps, search=client)
        # Other tests' indexers work on the same queue.
        await app.connector.execute_query_async("truncate procrastinate_jobs cascade")
    await client.aclose()
    await runner.cleanup()


@pytest.fixture
def processes() -> list[SimpleNamespace]:
    return [SimpleNamespace(name="retrieval", pid=1), SimpleNamespace(name="indexer", pid=2)]


@pytest.fixture
async def anyone(knowledge: Knowledge, processes: list[SimpleNamespace]) -> AsyncIterator[AsyncClient]:
    """A client without a key."""
    app = FastAPI()
    errors.install(app)
    app.include_router(rag)
    app.state.services = SimpleNamespace(knowledge=knowledge, guard=fake_guard(KEY), processes=processes)
    async with AsyncClient(transport=ASGITransport(app), base_url="http://jarvis") as http:
        yield http


@pytest.fixture
def http(anyone: AsyncClient) -> AsyncClient:
    """A client with the operator's key."""
    anyone.headers["Authorization"] = f"Bearer {KEY}"
    return anyone


Work = Callable[[UUID | str], Awaitable[Job]]


@pytest.fixture
async def work(database: Database, knowledge: Knowledge) -> AsyncIterator[Work]:
    """Carries out a job, as the indexer does."""
    embedder, reader = FakeEmbedder(), DocumentReader()
    vectors = VectorStore(database)
    model = await vectors.add(model_id=embedder.model_id, dimensions=embedder.dimensions)
    async with Fetcher() as fetcher:
        ingest = Ingest(
            store=knowledge.store,
            vectors=vectors,
            jobs=knowledge.jobs,
            embedder=embedder,
            model=model,
            reader=reader,
            fetcher=fetcher,
            token_spans=partial(token_spans, load_tokenizer()),
        )

        async def carry_out(job_id: UUID | str) -> Job:
            await ingest.run(UUID(str(job_id)))
            job = await knowledge.jobs.get(UUID(str(job_id)))
            assert job is not None
            return job

        yield carry_out
    await reader.aclose()


Add = Callable[..., Awaitable[UUID]]


@pytest.fixture
def add(http: AsyncClient, knowledge: Knowledge, work: Work) -> Add:
    """Indexes a document and returns its id."""

    async def index(name: str, *, text: str = "The sauna opens at noon.", collection: str = "default") -> UUID:
        body = {"collection": collection, "documents": [{"name": name, "text": text}]}
        await work((await http.post("/api/rag/index", json=body)).json()["job"])
        documents = await knowledge.store.list_documents(collection=collection)
        return next(each.id for each in documents if each.source == name)

    return index


@pytest.fixture
def ask_in_vain(knowledge: Knowledge) -> Add:
    """Records a gap and returns its id."""

    async def record(question: str, *, collection: str = "default") -> UUID:
        passage = GapPassage(str(uuid4()), "Sauna", "sauna.md", 0, 24, 0.4)
        return await knowledge.gaps.record(question, [passage], collection=collection, vector=None)

    return record


def problem(response: Any) -> tuple[int, str]:
    """Status and title of a response that must be problem+json."""
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == response.status_code
    assert body["detail"]
    return response.status_code, body["title"]
