"""`/api/rag/gaps`: listed, closed, and answered by a document."""

from uuid import UUID

import pytest
from httpx2 import AsyncClient

from server.services import Knowledge
from tests.server.rag.conftest import Add, Work, problem

pytestmark = pytest.mark.integration

UNKNOWN = UUID("98798fe6-cd1c-4169-83b7-56de525a3cf9")
ANSWER = {"text": "Dogs are welcome."}


async def questions(http: AsyncClient, **query: str) -> list[str]:
    return [each["question"] for each in (await http.get("/api/rag/gaps", params=query)).json()["gaps"]]


async def test_a_gap_tells_what_was_asked_and_what_was_found(http: AsyncClient, ask_in_vain: Add):
    gap_id = await ask_in_vain("may i bring my dog")
    await ask_in_vain("May I bring my dog")
    (gap,) = (await http.get("/api/rag/gaps")).json()["gaps"]
    assert (gap["id"], gap["question"], gap["count"], gap["state"]) == (str(gap_id), "may i bring my dog", 2, "open")
    (passage,) = gap["passages"]
    assert (passage["document"]["source"], passage["span"]) == ("sauna.md", {"start": 0, "end": 24})


async def test_gaps_are_listed_by_collection_and_state(http: AsyncClient, knowledge: Knowledge, ask_in_vain: Add):
    await knowledge.store.make_collection("pool")
    await ask_in_vain("how deep is it", collection="pool")
    await http.post(f"/api/rag/gaps/{await ask_in_vain('may i bring my dog')}/close")
    assert await questions(http) == ["how deep is it"]
    assert await questions(http, state="closed") == ["may i bring my dog"]
    assert await questions(http, state="all", collection="default") == ["may i bring my dog"]


async def test_a_gap_is_closed_by_the_document_that_answers_it(http: AsyncClient, add: Add, ask_in_vain: Add):
    document_id = await add("dogs.md")
    gap_id = await ask_in_vain("may i bring my dog")
    closed = (await http.post(f"/api/rag/gaps/{gap_id}/close", json={"document": str(document_id)})).json()
    assert (closed["state"], closed["document"]) == ("closed", str(document_id))


async def test_a_document_of_another_collection_closes_no_gap(http: AsyncClient, add: Add, ask_in_vain: Add):
    document_id = await add("pool.md", collection="pool")
    gap_id = await ask_in_vain("may i bring my dog")
    response = await http.post(f"/api/rag/gaps/{gap_id}/close", json={"document": str(document_id)})
    assert problem(response)[0] == 422
    assert await questions(http) == ["may i bring my dog"]


async def test_an_answer_becomes_a_document_that_closes_the_gap(
    http: AsyncClient, knowledge: Knowledge, work: Work, ask_in_vain: Add
):
    gap_id = await ask_in_vain("may i bring my dog")
    response = await http.post(f"/api/rag/gaps/{gap_id}/answer", json=ANSWER)
    assert (response.status_code, response.json()["gap"]["state"]) == (202, "open")
    await work(response.json()["job"]["id"])
    assert (await http.get(response.headers["Location"])).json()["state"] == "done"
    (gap,) = (await http.get("/api/rag/gaps", params={"state": "all"})).json()["gaps"]
    document = await knowledge.store.get_document(UUID(gap["document"]))
    assert document is not None
    assert (gap["state"], document.title, document.collection) == ("closed", "may i bring my dog", "default")
    assert await knowledge.store.document_text(document.id) == "Dogs are welcome."


async def test_the_same_answer_again_closes_a_gap_that_has_opened_again(
    http: AsyncClient, work: Work, ask_in_vain: Add
):
    gap_id = await ask_in_vain("may i bring my dog")
    states = []
    for _ in range(2):
        await work((await http.post(f"/api/rag/gaps/{gap_id}/answer", json=ANSWER)).json()["job"]["id"])
        states.append((await http.get("/api/rag/gaps")).json()["gaps"])
        await ask_in_vain("may i bring my dog")
    assert states == [[], []]


async def test_another_answer_replaces_the_document(
    http: AsyncClient, knowledge: Knowledge, work: Work, ask_in_vain: Add
):
    gap_id = await ask_in_vain("may i bring my dog")
    for text in ("Dogs are welcome.", "Only small dogs are welcome."):
        await work((await http.post(f"/api/rag/gaps/{gap_id}/answer", json={"text": text})).json()["job"]["id"])
    (document,) = await knowledge.store.list_documents()
    assert await knowledge.store.document_text(document.id) == "Only small dogs are welcome."


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (f"/{UNKNOWN}/close", None, 404),
        (f"/{UNKNOWN}/answer", ANSWER, 404),
        ("/seven/close", None, 422),
        (f"/{UNKNOWN}/answer", None, 422),
        (f"/{UNKNOWN}/answer", {"text": " \n"}, 422),
        (f"/{UNKNOWN}/close", {"document": "seven"}, 422),
    ],
)
async def test_what_is_not_there_or_not_valid_is_a_problem(
    http: AsyncClient, path: str, body: dict[str, str] | None, status: int
):
    assert problem(await http.post(f"/api/rag/gaps{path}", json=body))[0] == status


@pytest.mark.parametrize(("query", "status"), [("collection=nowhere", 404), ("state=ajar", 422), ("limit=0", 422)])
async def test_a_list_of_what_is_not_there_is_a_problem(http: AsyncClient, query: str, status: int):
    assert problem(await http.get(f"/api/rag/gaps?{query}"))[0] == status
