"""`POST /api/rag/index`: what is taken, what is refused, and what a job makes of it."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from httpx2 import AsyncClient

from server.rag import uploads
from server.services import Knowledge
from tests.server.rag.conftest import Work, problem

pytestmark = pytest.mark.integration

MARKDOWN = ("sauna.md", b"# Sauna\n\nThe sauna opens at noon.", "text/markdown")


async def index(http: AsyncClient, **body: Any) -> Any:
    return await http.post("/api/rag/index", json=body)


def document(name: str = "sauna.md", **fields: Any) -> dict[str, Any]:
    return {"name": name, "text": "The sauna opens at noon.", **fields}


async def test_what_is_sent_is_queued_and_the_job_named(http: AsyncClient):
    response = await index(
        http, collection="spa", documents=[document("a/b/sauna.md")], urls=["https://www.example.com#top"]
    )
    body = response.json()
    assert response.status_code == 202
    assert response.headers["Location"] == f"/api/rag/jobs/{UUID(body['job'])}"
    assert (body["collection"], body["documents"], body["urls"]) == (
        "spa",
        ["sauna.md"],
        ["https://www.example.com/"],
    )


async def test_a_queued_job_has_done_nothing(http: AsyncClient):
    queued = await index(http, documents=[document()])
    job = (await http.get(queued.headers["Location"])).json()
    assert (job["state"], job["done"], job["counts"], job["failures"]) == ("queued", 0, {"pending": 1}, [])


async def test_a_job_tells_what_was_indexed_and_what_could_not_be(http: AsyncClient, work: Work):
    queued = await index(http, documents=[document(), document("sheet.docx")])
    await work(queued.json()["job"])
    job = (await http.get(queued.headers["Location"])).json()
    assert (job["state"], job["total"], job["done"], job["counts"]) == ("failed", 2, 2, {"added": 1, "failed": 1})
    assert [(each["source"], "save it anew" in each["reason"]) for each in job["failures"]] == [("sheet.docx", True)]


async def test_what_is_said_of_a_document_is_kept(http: AsyncClient, work: Work):
    said = document(title="The sauna", effective_date="2026-01-01", access=["staff"])
    await work((await index(http, documents=[said, document("b.md")], access=["guests"])).json()["job"])
    stored = {each["source"]: each for each in (await http.get("/api/rag/documents")).json()["documents"]}
    assert (stored["sauna.md"]["title"], stored["sauna.md"]["effective_date"]) == ("The sauna", "2026-01-01")
    assert (stored["sauna.md"]["access"], stored["b.md"]["access"]) == (["staff"], ["guests"])


async def test_files_come_as_a_form(http: AsyncClient, work: Work, knowledge: Knowledge):
    files = [("files", MARKDOWN), ("files", ("notes", b"Bring a towel.", "text/plain"))]
    response = await http.post("/api/rag/index", data={"collection": "spa", "access": ["a", "b"]}, files=files)
    assert response.json()["documents"] == ["sauna.md", "notes"]
    assert (await work(response.json()["job"])).counts == {"added": 2}
    stored = await knowledge.store.list_documents(collection="spa")
    assert [(each.title, each.access) for each in stored] == [("Notes", ("a", "b")), ("Sauna", ("a", "b"))]


@pytest.mark.parametrize(("labels", "access"), [({}, ("staff",)), ({"access": ""}, ())], ids=["unsaid", "everyone"])
async def test_a_form_changes_labels_only_where_it_names_them(
    http: AsyncClient, work: Work, knowledge: Knowledge, labels: dict[str, str], access: tuple[str, ...]
):
    await work((await index(http, documents=[document(access=["staff"])])).json()["job"])
    response = await http.post("/api/rag/index", data=labels, files=[("files", MARKDOWN)])
    await work(response.json()["job"])
    assert [each.access for each in await knowledge.store.list_documents()] == [access]


BAD_REQUESTS: list[tuple[str, dict[str, Any], str]] = [
    ("nothing", {}, "nothing to index"),
    ("an empty name", {"documents": [document("../")]}, "needs a file name"),
    ("a long name", {"documents": [document("a" * 301)]}, "at most 300 characters"),
    ("an empty document", {"documents": [document(text="")]}, "documents.0.text"),
    ("a type that is no text", {"documents": [document(content_type="application/pdf")]}, "text/markdown"),
    ("a name twice", {"documents": [document("a/x.md"), document("b/x.md")]}, "2 documents are called x.md"),
    ("too many documents", {"documents": [document(f"{i}.md") for i in range(201)]}, "at most 200 items"),
    ("too many addresses", {"urls": ["https://www.example.com/"] * 101}, "at most 100 items"),
    ("a long label", {"documents": [document()], "access": ["a" * 65]}, "at most 64 characters"),
    ("an unprintable label", {"documents": [document()], "access": ["a\x00b"]}, "access.0"),
    ("an unprintable title", {"documents": [document(title="a\x00b")]}, "documents.0.title"),
    ("a collection's odd name", {"documents": [document()], "collection": "Spa"}, "1 to 63 lower-case letters"),
    ("a date that is none", {"documents": [document(effective_date="soon")]}, "effective_date"),
    ("no web address", {"urls": ["ftp://example.com/x"]}, "https://"),
    ("a file's address", {"urls": ["file:///etc/passwd"]}, "https://"),
    ("a password", {"urls": ["https://me:hunter2@example.com/"]}, "only pages that need no login"),
    ("this host", {"urls": ["http://127.0.0.1/admin"]}, "a loopback address"),
    ("this host by IPv6", {"urls": ["http://[::1]/"]}, "a loopback address"),
    ("a cloud's metadata", {"urls": ["http://169.254.169.254/latest"]}, "a cloud metadata address"),
    ("an odd port", {"urls": ["http://example.com:6379/"]}, "port 6379"),
]


@pytest.mark.parametrize(("body", "said"), [row[1:] for row in BAD_REQUESTS], ids=[row[0] for row in BAD_REQUESTS])
async def test_what_cannot_be_indexed_is_refused_with_what_to_do(http: AsyncClient, body: dict[str, Any], said: str):
    response = await index(http, **body)
    assert problem(response) == (422, "The request is not valid")
    assert said in response.json()["detail"]
    assert "hunter2" not in response.text
    assert len(response.content) < 1500


FORM = "multipart/form-data; boundary=x"
PART = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.md"\r\n\r\n# A\r\n'
BAD_BODIES = [
    ("an empty body", b"", "application/json", 422),
    ("no body and no type", b"", "", 415),
    ("another type", b"# Sauna", "text/markdown", 415),
    ("broken JSON", b'{"documents": [', "application/json", 422),
    ("binary that should be JSON", bytes(range(256)), "application/json", 422),
    ("JSON that is very deep", b"[" * 100_000, "application/json", 422),
    ("a form that is none", b"not a form", FORM, 422),
    ("binary that should be a form", bytes(range(256)) * 100, FORM, 422),
    ("a form without a boundary", PART + b"--x--\r\n", "multipart/form-data", 422),
    ("a form that breaks off in a file", PART + PART[:-5], FORM, 422),
    ("a form that breaks off behind a file", PART, FORM, 422),
    ("a form without files", b"--x--\r\n", FORM, 422),
    ("a file without a name", PART.replace(b"a.md", b"") + b"--x--\r\n", FORM, 422),
    ("a file in another field", PART.replace(b"files", b"file") + b"--x--\r\n", FORM, 422),
    ("text in the files' field", PART.replace(b'; filename="a.md"', b"") + b"--x--\r\n", FORM, 422),
    ("more files than are taken", PART * 201 + b"--x--\r\n", FORM, 422),
]


@pytest.mark.parametrize(
    ("body", "content_type", "status"), [row[1:] for row in BAD_BODIES], ids=[row[0] for row in BAD_BODIES]
)
async def test_a_body_that_cannot_be_read_is_a_problem(http: AsyncClient, body: bytes, content_type: str, status: int):
    headers = {"Content-Type": content_type} if content_type else {}
    assert problem(await http.post("/api/rag/index", content=body, headers=headers))[0] == status


async def test_a_form_in_one_piece_is_taken(http: AsyncClient):
    body = PART + b"--x--\r\n"
    response = await http.post("/api/rag/index", content=body, headers={"Content-Type": FORM})
    assert response.status_code == 202


async def test_a_request_that_says_it_is_too_large_is_not_read(http: AsyncClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(uploads, "MAX_BODY_BYTES", 1024 * 1024)
    response = await index(http, documents=[document(text="a" * 1024 * 1024)])
    assert problem(response) == (413, "The request is too large")
    assert "At most 1 MB" in response.json()["detail"]


@pytest.mark.parametrize("content_type", ["application/json", FORM])
async def test_a_request_of_unknown_size_is_cut_off(
    http: AsyncClient, monkeypatch: pytest.MonkeyPatch, content_type: str
):
    monkeypatch.setattr(uploads, "MAX_BODY_BYTES", 1024 * 1024)

    async def endless() -> AsyncIterator[bytes]:
        yield PART[:-2]
        while True:
            yield b"a" * 100_000

    response = await http.post("/api/rag/index", content=endless(), headers={"Content-Type": content_type})
    assert problem(response) == (413, "The request is too large")


async def test_ten_megabytes_are_taken(http: AsyncClient):
    files = [("files", (f"{i}.md", b"The sauna opens at noon.\n" * 40_000, "text/markdown")) for i in range(10)]
    assert (await http.post("/api/rag/index", files=files)).status_code == 202
