import asyncio
import json
import signal
import stat
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest

from knowledge.client import KnowledgeClient
from knowledge.database import Database
from knowledge.embedders.minilm import MiniLmEmbedder
from knowledge.embedders.openai import OpenAIEmbedder
from knowledge.embedders.settings import OpenAI
from knowledge.errors import KnowledgeUnavailableError, NoSuchCollectionError
from knowledge.store import Store
from knowledge.types import SearchResult, Verdict
from knowledge.vectors import VectorStore
from tests.knowledge.corpus import Corpus
from tests.vendors.openai_embeddings import KEY, OpenAIEmbeddings

pytestmark = pytest.mark.integration

READY_SECS = 20.0
POOL = "# Pool\n\nThe swimming pool opens at seven."
SAUNA = "# Sauna\n\nThe sauna is as hot as it gets."


@pytest.fixture
def socket() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder, "socket")


@pytest.fixture
def startup(socket: Path, database_url: str, models_dir: Path, lexical_dir: Path) -> dict[str, Any]:
    """What the process is told; a test may change it."""
    return {
        "socket": str(socket),
        "database_url": database_url,
        "models_dir": str(models_dir),
        "lexical_dir": str(lexical_dir),
        "embedder": {"provider": "minilm"},
    }


@pytest.fixture
async def corpus(
    store: Store, database: Database, vectors: VectorStore, models_dir: Path, lexical_dir: Path
) -> AsyncIterator[Corpus]:
    """One document about a pool."""
    embedder = MiniLmEmbedder(models_dir=models_dir)
    model = await vectors.add(model_id=embedder.model_id, dimensions=embedder.dimensions)
    corpus = Corpus(database, embedder, model, lexical_dir)
    await corpus.put("pool.md", POOL)
    await corpus.sync()
    yield corpus
    await embedder.aclose()


async def spawn(first_line: str) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "knowledge.process", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin
    process.stdin.write(first_line.encode() + b"\n")
    return process


@asynccontextmanager
async def retrieval(startup: dict[str, Any]) -> AsyncIterator[asyncio.subprocess.Process]:
    """The process, once it is ready."""
    process = await spawn(json.dumps(startup))
    try:
        assert process.stdout
        async with asyncio.timeout(READY_SECS):
            assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def client_of(startup: dict[str, Any], **settings: Any) -> AsyncIterator[KnowledgeClient]:
    client = KnowledgeClient(Path(startup["socket"]), **{"timeout_secs": 5.0, **settings})
    try:
        yield client
    finally:
        await client.aclose()


async def search(startup: dict[str, Any], question: str, **settings: Any) -> SearchResult:
    async with client_of(startup, **settings) as client:
        return await client.search(question, gated=False)


async def until_found(startup: dict[str, Any], question: str, title: str) -> None:
    async with client_of(startup) as client, asyncio.timeout(READY_SECS):
        while True:
            found = await client.search(question, gated=False)
            if title in [passage.title for passage in found.passages]:
                return
            await asyncio.sleep(0.01)


async def health(startup: dict[str, Any]) -> dict[str, Any]:
    connector = aiohttp.UnixConnector(startup["socket"])
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get("http://knowledge/healthz") as response,
    ):
        return await response.json()


async def test_it_answers_as_soon_as_it_says_that_it_is_ready(corpus: Corpus, startup: dict[str, Any]) -> None:
    async with retrieval(startup):
        result = await search(startup, "when can I swim", timeout_secs=1.0)
        assert (result.verdict, result.passages[0].text) == (Verdict.FOUND, "The swimming pool opens at seven.")
        assert await health(startup) == {"documents": 1, "chunks": 1, "ready": True}


async def test_its_socket_is_its_owners_only(corpus: Corpus, startup: dict[str, Any], socket: Path) -> None:
    async with retrieval(startup):
        assert stat.S_IMODE(socket.stat().st_mode) == 0o600


async def test_small_talk_finds_nothing(corpus: Corpus, startup: dict[str, Any]) -> None:
    async with retrieval(startup), client_of(startup) as client:
        assert (await client.search("okay great thanks a lot, bye bye")).verdict is Verdict.SMALL_TALK


async def test_a_collection_that_is_not_there_is_named(corpus: Corpus, startup: dict[str, Any]) -> None:
    async with retrieval(startup):
        with pytest.raises(NoSuchCollectionError, match="manuals"):
            await search(startup, "x", collection="manuals")


async def test_what_is_indexed_meanwhile_is_found_without_a_restart(corpus: Corpus, startup: dict[str, Any]) -> None:
    async with retrieval(startup):
        await corpus.put("sauna.md", SAUNA)
        await corpus.sync()
        await until_found(startup, "is there a sauna", "Sauna")


async def test_the_first_document_of_all_is_found_as_well(
    store: Store, database: Database, vectors: VectorStore, startup: dict[str, Any], models_dir: Path, lexical_dir: Path
) -> None:
    async with retrieval(startup):
        embedder = MiniLmEmbedder(models_dir=models_dir)
        model = await vectors.add(model_id=embedder.model_id, dimensions=embedder.dimensions)
        corpus = Corpus(database, embedder, model, lexical_dir)
        await corpus.put("pool.md", POOL)
        await corpus.sync()
        await until_found(startup, "when can I swim", "Pool")
        await embedder.aclose()


async def test_a_collection_that_is_made_meanwhile_is_searched(corpus: Corpus, startup: dict[str, Any]) -> None:
    async with retrieval(startup):
        await corpus.put("sauna.md", SAUNA, collection="manuals")
        await corpus.sync()
        async with client_of(startup, collection="manuals") as client, asyncio.timeout(READY_SECS):
            while True:
                try:
                    result = await client.search("is there a sauna", gated=False)
                    break
                except NoSuchCollectionError:
                    await asyncio.sleep(0.01)
    assert [passage.title for passage in result.passages] == ["Sauna"]


async def test_what_was_removed_is_not_found_from_then_on(corpus: Corpus, startup: dict[str, Any]) -> None:
    async with retrieval(startup):
        await corpus.store.remove_source(collection="default", source="pool.md")
        assert (await search(startup, "when can I swim")).passages == ()


async def test_it_listens_again_after_the_database_dropped_it(
    corpus: Corpus, startup: dict[str, Any], database_url: str
) -> None:
    async with retrieval(startup):
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
            await connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where pid <> pg_backend_pid() and query = 'listen knowledge_searchable;'"
            )
        await corpus.put("sauna.md", SAUNA)
        await corpus.sync()
        await until_found(startup, "is there a sauna", "Sauna")


async def test_an_index_of_words_that_is_not_there_yet_leaves_meaning(
    corpus: Corpus, startup: dict[str, Any], tmp_path: Path
) -> None:
    async with retrieval(startup | {"lexical_dir": str(tmp_path / "none")}):
        assert [passage.title for passage in (await search(startup, "when can I swim")).passages] == ["Pool"]


@asynccontextmanager
async def remote(
    server: OpenAIEmbeddings, startup: dict[str, Any], database: Database, vectors: VectorStore
) -> AsyncIterator[dict[str, Any]]:
    """What to tell a process whose documents were embedded by this server."""
    async with server.serving() as url:
        settings = OpenAI.model_validate({"api_key": KEY, "base_url": url, "budget_secs": 0.1})
        embedder = await OpenAIEmbedder.connect(settings)
        model = await vectors.add(model_id=embedder.model_id, dimensions=embedder.dimensions)
        corpus = Corpus(database, embedder, model, Path(startup["lexical_dir"]))
        await corpus.put("pool.md", POOL)
        await corpus.sync()
        await embedder.aclose()
        yield startup | {"embedder": {"provider": "openai", "api_key": KEY, "base_url": url, "budget_secs": 0.1}}


async def test_questions_are_embedded_by_the_server_that_is_set(
    startup: dict[str, Any], store: Store, database: Database, vectors: VectorStore
) -> None:
    server = OpenAIEmbeddings()
    async with remote(server, startup, database, vectors) as told, retrieval(told):
        server.asked.clear()
        (passage,) = (await search(told, "the pool")).passages
        assert (passage.similarity is not None, [body["input"] for body in server.asked]) == (True, [["the pool"]])


async def test_a_server_that_is_late_leaves_the_words(
    startup: dict[str, Any], store: Store, database: Database, vectors: VectorStore
) -> None:
    server = OpenAIEmbeddings()
    async with remote(server, startup, database, vectors) as told, retrieval(told):
        server.delay_secs = 2.0
        (passage,) = (await search(told, "the pool", timeout_secs=1.0)).passages
        assert passage.similarity is None


async def test_a_server_that_refuses_the_key_leaves_the_words(
    startup: dict[str, Any], store: Store, database: Database, vectors: VectorStore
) -> None:
    async with remote(OpenAIEmbeddings(), startup, database, vectors) as told:
        told["embedder"]["api_key"] = "sk-wrong"
        async with retrieval(told):
            (passage,) = (await search(told, "the pool")).passages
            assert passage.similarity is None


async def test_a_process_that_died_is_said_plainly(corpus: Corpus, startup: dict[str, Any]) -> None:
    async with retrieval(startup) as process, client_of(startup) as client:
        await client.search("when can I swim")
        process.kill()
        await process.wait()
        with pytest.raises(KnowledgeUnavailableError, match="is not there"):
            await client.search("when can I swim")


async def test_a_socket_that_a_dead_process_left_is_replaced(
    corpus: Corpus, startup: dict[str, Any], socket: Path
) -> None:
    async with retrieval(startup) as process:
        process.kill()
        await process.wait()
    assert socket.is_socket()
    async with retrieval(startup):
        assert (await health(startup))["ready"]


async def test_a_successor_takes_over_and_no_question_is_lost(
    corpus: Corpus, startup: dict[str, Any], socket: Path
) -> None:
    async with client_of(startup) as caller, retrieval(startup) as old:
        await caller.search("when can I swim", gated=False)
        async with retrieval(startup) as successor:
            assert socket.readlink().suffix == f".{successor.pid}"
            old.send_signal(signal.SIGTERM)
            while old.returncode is None:
                assert (await caller.search("when can I swim", gated=False)).verdict is Verdict.FOUND
                await asyncio.sleep(0.001)
            assert (await caller.search("when can I swim", gated=False)).verdict is Verdict.FOUND
        assert old.returncode == 0


@pytest.mark.parametrize("how", ["SIGTERM", "stdin"])
async def test_it_ends_cleanly_when_it_is_told_to(
    corpus: Corpus, startup: dict[str, Any], socket: Path, how: str
) -> None:
    async with retrieval(startup) as process:
        assert process.stdin
        if how == "SIGTERM":
            process.send_signal(signal.SIGTERM)
        else:
            process.stdin.close()
        async with asyncio.timeout(READY_SECS):
            assert await process.wait() == 0
    assert not socket.exists()


async def test_it_is_not_ready_while_the_database_is_away(startup: dict[str, Any]) -> None:
    process = await spawn(json.dumps(startup | {"database_url": "postgresql://127.0.0.1:1/x?connect_timeout=1"}))
    assert process.stdout
    try:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(process.stdout.readline(), 4.0)
    finally:
        process.kill()
        await process.wait()


@pytest.mark.parametrize("first_line", ["{}", "", '{"socket": "/x"}', "no json"])
async def test_a_first_line_that_makes_no_sense_ends_it(first_line: str) -> None:
    process = await spawn(first_line)
    async with asyncio.timeout(READY_SECS):
        assert await process.wait() == 1
