"""`/api/rag`: search, jobs, collections and health."""

from collections.abc import AsyncIterator
from datetime import date
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from httpx2 import AsyncClient

from knowledge.errors import KnowledgeUnavailableError, NoSuchCollectionError
from knowledge.types import LegScore, Passage, SearchResult, Turn, Verdict
from server.app import create_app
from server.services import Knowledge
from tests.server.rag.conftest import ScriptedRetriever, problem

pytestmark = pytest.mark.integration

DOCUMENT = UUID("0f6d3c0a-6f0e-4c0c-9c58-3c1d53b8b2a1")
PASSAGE = Passage(
    document_id=DOCUMENT,
    source="sauna.md",
    title="Sauna",
    heading_path=("Hours",),
    text="The sauna opens at noon.",
    start=7,
    end=31,
    score=0.9,
    similarity=0.7,
    page=2,
    effective_date=date(2026, 1, 1),
)
EXPLAINED = Passage(**{**vars(PASSAGE), "legs": {"words": LegScore(raw=3.0, stretched=1.0)}})


async def search(http: AsyncClient, **body: Any) -> Any:
    return await http.post("/api/rag/search", json={"question": "When does the sauna open?", **body})


async def test_a_passage_comes_with_its_citation(http: AsyncClient, retriever: ScriptedRetriever):
    retriever.answers = [SearchResult(Verdict.FOUND, (PASSAGE,))]
    response = await search(http)
    assert response.json() == {
        "verdict": "found",
        "passages": [
            {
                "document": {"id": str(DOCUMENT), "title": "Sauna", "source": "sauna.md"},
                "title": "Sauna",
                "heading_path": ["Hours"],
                "page": 2,
                "span": {"start": 7, "end": 31},
                "quote": "The sauna opens at noon.",
                "score": 0.9,
                "similarity": 0.7,
                "effective_date": "2026-01-01",
            }
        ],
    }


async def test_the_legs_come_where_they_are_asked_for(http: AsyncClient, retriever: ScriptedRetriever):
    retriever.answers = [SearchResult(Verdict.FOUND, (EXPLAINED,))]
    response = await search(http, explain=True)
    assert response.json()["passages"][0]["legs"] == {"words": {"raw": 3.0, "stretched": 1.0}}


async def test_everything_that_is_asked_for_reaches_the_search(http: AsyncClient, retriever: ScriptedRetriever):
    retriever.answers = [SearchResult(Verdict.OFF_TOPIC)]
    history = [{"role": "user", "text": "Hello"}]
    await search(http, history=history, collection="spa", limit=2, access=["staff"], gated=True, explain=True)
    assert retriever.asked == [
        {
            "question": "When does the sauna open?",
            "history": [Turn("user", "Hello")],
            "collection": "spa",
            "limit": 2,
            "access": ["staff"],
            "gated": True,
            "explain": True,
        }
    ]


async def test_a_search_that_names_no_labels_finds_what_everyone_may_hear(
    http: AsyncClient, retriever: ScriptedRetriever
):
    retriever.answers = [SearchResult(Verdict.OFF_TOPIC)]
    assert (await search(http)).json() == {"verdict": "off_topic", "passages": []}
    assert retriever.asked[0]["access"] == []


async def test_a_collection_that_is_not_there_is_told_which_are(http: AsyncClient, retriever: ScriptedRetriever):
    retriever.answers = [NoSuchCollectionError("spa", ["default", "pool"])]
    response = await search(http, collection="spa")
    assert problem(response) == (404, "There is no such collection")
    assert "default, pool" in response.json()["detail"]


async def test_a_search_that_is_down_says_when_to_try_again(http: AsyncClient, retriever: ScriptedRetriever):
    retriever.answers = [KnowledgeUnavailableError("gone")]
    response = await search(http)
    assert problem(response) == (503, "The knowledge can't be searched")
    assert response.headers["Retry-After"] == "2"


DEEP = b"[" * 100_000
BAD_BODIES = [
    ("an empty body", b"", "application/json", 422),
    ("10 MB of JSON", b'{"question": "' + b"a" * 10_000_000 + b'"}', "application/json", 413),
    ("binary", bytes(range(256)) * 10, "application/json", 422),
    ("another type", b"question=hours", "application/x-www-form-urlencoded", 415),
    ("no type", b'{"question": "hours"}', "", 415),
    ("broken JSON", b'{"question": "ho', "application/json", 422),
    ("JSON that is no object", b"[1, 2]", "application/json", 422),
    ("JSON that is very deep", DEEP, "application/json", 400),
    ("an empty question", b'{"question": ""}', "application/json", 422),
    ("a blank question", b'{"question": "  "}', "application/json", 422),
    ("10,000 words", b'{"question": "' + b"hours " * 10_000 + b'"}', "application/json", 422),
    ("half a character", b'{"question": "\\ud800"}', "application/json", 422),
    ("an odd collection", b'{"question": "hours", "collection": "../x"}', "application/json", 422),
    ("too many passages", b'{"question": "hours", "limit": 51}', "application/json", 422),
    ("an unknown field", b'{"question": "hours", "top_k": 4}', "application/json", 422),
]


@pytest.mark.parametrize(
    ("body", "content_type", "status"), [row[1:] for row in BAD_BODIES], ids=[row[0] for row in BAD_BODIES]
)
async def test_a_body_that_is_no_question_is_a_problem(http: AsyncClient, body: bytes, content_type: str, status: int):
    response = await http.post("/api/rag/search", content=body, headers={"Content-Type": content_type})
    assert problem(response)[0] == status
    assert len(response.content) < 1000


async def test_a_body_without_a_length_is_cut_off_where_it_is_too_large(http: AsyncClient):
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 100_000

    response = await http.post("/api/rag/search", content=endless(), headers={"Content-Type": "application/json"})
    assert problem(response)[0] == 413


async def test_the_question_is_not_repeated_to_whoever_sent_it_wrongly(http: AsyncClient):
    response = await search(http, question="secret " * 1000)
    assert "secret" not in response.text


async def test_a_collections_rule_is_said_where_it_is_broken(http: AsyncClient):
    assert "1 to 63 lower-case letters" in (await search(http, collection="Spa")).json()["detail"]


@pytest.mark.parametrize(("job_id", "status"), [("970a1fa6-3bd5-488b-a9ed-91eacc166b00", 404), ("seven", 422)])
async def test_a_job_that_is_not_there_is_a_problem(http: AsyncClient, job_id: str, status: int):
    assert problem(await http.get(f"/api/rag/jobs/{job_id}"))[0] == status


async def test_collections_tell_how_they_are_searched(http: AsyncClient, knowledge: Knowledge):
    await knowledge.store.set_title_weight(
        collection="default", title_weight=0.5, title_similarity=0.75, chunks_per_title=18.0
    )
    assert (await http.get("/api/rag/collections")).json() == {
        "collections": [{"name": "default", "title_weight": 0.5, "title_similarity": 0.75, "chunks_per_title": 18.0}]
    }


async def test_health_is_told_to_everyone(anyone: AsyncClient):
    response = await anyone.get("/api/rag/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok", "retrieval": True, "indexer": True})


async def test_health_names_the_process_that_is_down(anyone: AsyncClient, processes: list[SimpleNamespace]):
    processes[1].pid = None
    assert (await anyone.get("/api/rag/healthz")).json() == {"status": "degraded", "retrieval": True, "indexer": False}


def operations() -> list[tuple[str, dict[str, Any]]]:
    paths = create_app().openapi()["paths"]
    return [
        (f"{method} {path}", operation)
        for path, methods in paths.items()
        if path.startswith("/api/rag") and path != "/api/rag/healthz"
        for method, operation in methods.items()
    ]


OPERATIONS = operations()


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=[name for name, _ in OPERATIONS])
def test_every_route_describes_its_problems(name: str, operation: dict[str, Any]):
    problems = {status: each for status, each in operation["responses"].items() if int(status) >= 400}
    assert {"401", "403", "422", "429", "503"} <= set(problems)
    assert all(list(each["content"]) == ["application/problem+json"] for each in problems.values())
    assert operation["summary"]
