"""`/api/rag/documents`."""

from uuid import UUID

import pytest
from httpx2 import AsyncClient

from tests.server.rag.conftest import Add, problem

pytestmark = pytest.mark.integration

UNKNOWN = UUID("98798fe6-cd1c-4169-83b7-56de525a3cf9")


async def sources(http: AsyncClient, **query: str | int) -> list[str]:
    response = await http.get("/api/rag/documents", params=query)
    return [each["source"] for each in response.json()["documents"]]


async def test_a_document_is_told_without_its_text(http: AsyncClient, add: Add):
    document_id = await add("sauna.md")
    shown = (await http.get(f"/api/rag/documents/{document_id}")).json()
    indexed_at = shown.pop("indexed_at")
    assert indexed_at
    assert shown == {
        "id": str(document_id),
        "collection": "default",
        "source": "sauna.md",
        "title": "Sauna",
        "status": "ready",
        "error": None,
        "version": 1,
        "chunks": 1,
        "effective_date": None,
        "access": [],
    }


async def test_its_text_is_added_where_it_is_asked_for(http: AsyncClient, add: Add):
    document_id = await add("sauna.md")
    response = await http.get(f"/api/rag/documents/{document_id}", params={"text": "true"})
    assert response.json()["text"] == "The sauna opens at noon."


async def test_documents_come_page_by_page(http: AsyncClient, add: Add):
    for name in ("c.md", "a.md", "b.md"):
        await add(name, text=f"This is {name}.")
    first = (await http.get("/api/rag/documents", params={"limit": 2})).json()
    second = (await http.get("/api/rag/documents", params={"limit": 2, "after": first["next"]})).json()
    assert [each["source"] for each in first["documents"]] == ["a.md", "b.md"]
    assert ([each["source"] for each in second["documents"]], second["next"]) == (["c.md"], None)


async def test_documents_are_listed_by_collection_and_status(http: AsyncClient, add: Add):
    retired = await add("old.md", text="Closed.")
    await add("new.md")
    await add("pool.md", collection="pool")
    await http.patch(f"/api/rag/documents/{retired}", json={"retired": True})
    assert await sources(http, status="ready") == ["new.md"]
    assert await sources(http, collection="pool") == ["pool.md"]


async def test_a_retired_document_can_be_restored(http: AsyncClient, add: Add):
    url = f"/api/rag/documents/{await add('sauna.md')}"
    retired = await http.patch(url, json={"retired": True})
    restored = await http.patch(url, json={"retired": False})
    assert (retired.json()["status"], restored.json()["status"]) == ("retired", "ready")


async def test_only_what_is_named_is_changed(http: AsyncClient, add: Add):
    url = f"/api/rag/documents/{await add('sauna.md')}"
    await http.patch(url, json={"effective_date": "2026-01-01", "access": ["staff"]})
    dated = (await http.patch(url, json={"access": []})).json()
    undated = (await http.patch(url, json={"effective_date": None})).json()
    assert (dated["effective_date"], dated["access"]) == ("2026-01-01", [])
    assert undated["effective_date"] is None


async def test_a_removed_document_is_gone(http: AsyncClient, add: Add):
    url = f"/api/rag/documents/{await add('sauna.md')}"
    removed = await http.delete(url)
    assert (removed.status_code, removed.content) == (204, b"")
    assert problem(await http.get(url)) == (404, "There is no such document")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", f"/documents/{UNKNOWN}", None, 404),
        ("GET", f"/documents/{UNKNOWN}?text=true", None, 404),
        ("PATCH", f"/documents/{UNKNOWN}", {"retired": True}, 404),
        ("DELETE", f"/documents/{UNKNOWN}", None, 404),
        ("GET", "/documents/seven", None, 422),
        ("PATCH", f"/documents/{UNKNOWN}", {}, 422),
        ("PATCH", f"/documents/{UNKNOWN}", {"retired": "perhaps"}, 422),
        ("PATCH", f"/documents/{UNKNOWN}", {"text": "new"}, 422),
        ("GET", "/documents?collection=nowhere", None, 404),
        ("GET", "/documents?collection=No%20where", None, 422),
        ("GET", "/documents?status=lost", None, 422),
        ("GET", "/documents?limit=0", None, 422),
        ("GET", "/documents?after=%00", None, 422),
    ],
)
async def test_what_is_not_there_or_not_valid_is_a_problem(
    http: AsyncClient, method: str, path: str, body: dict[str, object] | None, status: int
):
    assert problem(await http.request(method, f"/api/rag{path}", json=body))[0] == status
