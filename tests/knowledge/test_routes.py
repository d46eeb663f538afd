from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from knowledge.database import Database
from knowledge.embedders.fake import FakeEmbedder
from knowledge.gaps import GapStore
from knowledge.retriever import Retriever
from knowledge.routes import create_app
from knowledge.store import Store
from knowledge.vectors import Model, VectorStore
from tests.knowledge.corpus import Corpus

pytestmark = pytest.mark.integration

Client = TestClient[Any, Any]


@pytest.fixture
async def client(
    store: Store, database: Database, embedder: FakeEmbedder, model: Model, lexical_dir: Path
) -> AsyncIterator[Client]:
    """Asks about one document."""
    corpus = Corpus(database, embedder, model, lexical_dir)
    await corpus.put("pool.md", "# Pool\n\nThe pool opens at seven.")
    await corpus.sync()

    async def embedder_of(_model_id: str) -> FakeEmbedder:
        return embedder

    retriever = Retriever(store=store, vectors=VectorStore(database), embedder_of=embedder_of, lexical_dir=lexical_dir)
    await retriever.refresh()
    app = create_app(retriever=retriever, store=store, gaps=GapStore(database))
    async with TestClient(TestServer(app, host="127.0.0.1")) as client:
        yield client


async def asked(client: Client, path: str, body: object) -> tuple[int, dict[str, Any]]:
    async with client.post(path, json=body) as response:
        return response.status, await response.json()


async def test_a_search_answers_with_passages_and_how_long_it_took(client: Client) -> None:
    status, answer = await asked(client, "/search", {"question": "when does the pool open"})
    assert (status, answer["verdict"], answer["passages"][0]["text"]) == (200, "found", "The pool opens at seven.")
    assert 0 < answer["secs"] < 5


async def test_small_talk_answers_with_its_verdict(client: Client) -> None:
    _, answer = await asked(client, "/search", {"question": "Thank you very much, goodbye!"})
    assert (answer["verdict"], answer["passages"]) == ("small_talk", [])


async def test_legs_come_where_they_are_asked_for(client: Client) -> None:
    _, answer = await asked(client, "/search", {"question": "when does the pool open", "explain": True})
    assert set(answer["passages"][0]["legs"]) == {"meaning", "words", "letters", "sounds"}


async def test_sentences_are_compared(client: Client) -> None:
    body = {"question": "pool", "sentences": ["pool", "zeppelin"]}
    status, answer = await asked(client, "/similarity", body)
    assert (status, answer["similarities"]) == (200, [pytest.approx(1.0), pytest.approx(0.0)])


async def test_an_unanswered_question_is_kept_with_its_vector(client: Client, database: Database) -> None:
    first = await asked(client, "/gaps", {"question": "is there a zeppelin"})
    again = await asked(client, "/gaps", {"question": "a zeppelin is there"})
    assert (first, first[0]) == (again, 200)
    assert [gap.count for gap in await GapStore(database).list()] == [2]


async def test_health_counts_what_answers(client: Client) -> None:
    async with client.get("/healthz") as response:
        assert (response.status, await response.json()) == (200, {"documents": 1, "chunks": 1, "ready": True})


async def test_a_collection_that_is_not_there_is_named_with_those_that_are(client: Client) -> None:
    status, answer = await asked(client, "/search", {"question": "x", "collection": "manuals"})
    assert (status, answer["collection"], answer["there"]) == (404, "manuals", ["default"])


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("/search", {"question": " "}, 400, "empty"),
        ("/search", {}, 400, "question"),
        ("/search", {"question": "x" * 5_001}, 400, "question"),
        ("/search", {"question": "x", "limit": 0}, 400, "limit"),
        ("/search", {"question": "x", "limit": 101}, 400, "limit"),
        ("/search", {"question": "x", "history": [{"role": "judge", "text": "x"}]}, 400, "history.0.role"),
        ("/search", [], 400, "body"),
        ("/similarity", {"question": "x"}, 400, "sentences"),
        ("/similarity", {"question": "x", "sentences": ["x"] * 501}, 400, "sentences"),
        ("/gaps", {"question": ""}, 400, "question"),
        ("/gaps", {"question": "x", "passages": [{}]}, 400, "passages.0"),
        ("/gaps", {"question": "x", "collection": "manuals"}, 404, "manuals"),
        ("/else", {}, 404, "POST /search"),
    ],
)
async def test_what_cannot_be_answered_is_said_in_a_sentence(
    client: Client, path: str, body: object, status: int, said: str
) -> None:
    answered, answer = await asked(client, path, body)
    assert answered == status
    assert said in answer["error"]


async def test_what_is_no_json_is_said_in_a_sentence(client: Client) -> None:
    async with client.post("/search", data=b"{") as response:
        assert (response.status, "body" in (await response.json())["error"]) == (400, True)


async def test_an_error_of_ours_tells_nothing_of_the_question(
    client: Client, embedder: FakeEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(texts: object) -> None:
        raise RuntimeError(f"could not embed {texts}")

    monkeypatch.setattr(embedder, "embed", broken)
    status, answer = await asked(client, "/search", {"question": "my secret"})
    assert (status, "secret" in answer["error"]) == (500, False)
