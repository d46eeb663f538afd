from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import web
from psycopg_pool import AsyncConnectionPool

from knowledge.embedders.fake import FakeEmbedder
from knowledge.errors import EmbeddingError
from knowledge.ingest import Ingest
from knowledge.jobs import IndexRequest, JobStore, Upload
from knowledge.store import Store
from tests.knowledge.conftest import Index
from tests.knowledge.documents import of, texts, titled
from tests.knowledge.fetching.conftest import LoopbackSite

pytestmark = pytest.mark.integration

NEXT_YEAR = date.today() + timedelta(days=365)


async def counted(pool: AsyncConnectionPool[Any]) -> list[int]:
    async with pool.connection() as connection:
        cursor = await connection.execute(
            "select (select count(*) from documents), (select count(*) from chunks), (select count(*) from windows), "
            "(select count(*) from vectors_1)"
        )
        return list(await cursor.fetchone() or ())


async def test_the_files_of_a_folder_are_added(
    docs: Path, index: Index, store: Store, pool: AsyncConnectionPool[Any]
) -> None:
    job = await index(of(docs))
    assert (job.state, job.counts, job.total, job.done) == ("done", {"added": 2}, 2, 2)
    assert (await store.count(), await counted(pool)) == ((2, 3), [2, 3, 3, 3])


async def test_a_window_is_embedded_under_its_title_and_headings(
    docs: Path, index: Index, embedder: FakeEmbedder
) -> None:
    await index(of(docs))
    assert sorted(embedder.embedded) == [
        "Giving back\nThirty days.",
        "Giving back - Cost\nFree.",
        "Pool\nThe pool opens at seven.",
    ]


async def test_an_empty_folder_is_done(tmp_path: Path, index: Index) -> None:
    (tmp_path / "empty").mkdir()
    job = await index(of(tmp_path / "empty"))
    assert (job.state, job.total, job.counts) == ("done", 0, {})


async def test_an_unchanged_file_is_skipped(docs: Path, index: Index, embedder: FakeEmbedder, store: Store) -> None:
    await index(of(docs))
    embedder.embedded.clear()
    job = await index(of(docs))
    assert (job.counts, embedder.embedded) == ({"unchanged": 2}, [])
    assert {each.version for each in await store.list_documents()} == {1}


async def test_a_changed_file_replaces_its_chunks_windows_and_vectors(
    docs: Path, index: Index, store: Store, pool: AsyncConnectionPool[Any]
) -> None:
    await index(of(docs))
    before = (await titled(store))["Giving back"]
    (docs / "refunds.md").write_text("# Giving back\n\nSixty days.")
    job = await index(of(docs))
    after = (await titled(store))["Giving back"]
    assert job.counts == {"changed": 1, "unchanged": 1}
    assert (after.id, after.version, after.chunks) == (before.id, 2, 1)
    assert (await texts(store), await counted(pool)) == (["Sixty days.", "The pool opens at seven."], [2, 2, 2, 2])


async def test_a_file_that_vanished_from_a_folder_is_removed_from_every_table(
    docs: Path, index: Index, pool: AsyncConnectionPool[Any]
) -> None:
    await index(of(docs))
    (docs / "refunds.md").unlink()
    job = await index(of(docs))
    assert (job.counts, await counted(pool)) == ({"unchanged": 1, "removed": 1}, [1, 1, 1, 1])


async def test_a_named_file_that_vanished_is_removed(docs: Path, index: Index) -> None:
    await index(of(docs))
    (docs / "pool.txt").unlink()
    job = await index(of(docs / "pool.txt"))
    assert (job.state, job.counts) == ("done", {"removed": 1})


async def test_files_outside_the_given_paths_stay(docs: Path, index: Index, store: Store) -> None:
    await index(of(docs))
    (docs / "pool.txt").unlink()
    job = await index(of(docs / "refunds.md"))
    assert (job.counts, await store.count()) == ({"unchanged": 1}, (2, 3))


async def test_a_moved_file_keeps_its_id_chunks_and_vectors(
    docs: Path, index: Index, store: Store, embedder: FakeEmbedder, pool: AsyncConnectionPool[Any]
) -> None:
    await index(of(docs))
    before = (await titled(store))["Giving back"]
    windows = await store.windows_of([before.id])
    embedder.embedded.clear()
    (docs / "sub").mkdir()
    (docs / "refunds.md").rename(docs / "sub/returns.md")
    job = await index(of(docs))
    after = (await titled(store))["Giving back"]
    assert (job.state, job.counts) == ("done", {"moved": 2, "unchanged": 1})
    assert (after.id, after.version, after.status) == (before.id, 1, "ready")
    assert (after.source, embedder.embedded) == (str(docs / "sub/returns.md"), [])
    assert (await store.windows_of([after.id]), await counted(pool)) == (windows, [2, 3, 3, 3])


async def test_a_moved_file_whose_title_is_its_name_is_a_new_document(
    docs: Path, index: Index, store: Store, pool: AsyncConnectionPool[Any]
) -> None:
    await index(of(docs))
    before = (await titled(store))["Pool"]
    (docs / "pool.txt").rename(docs / "swimming.txt")
    job = await index(of(docs))
    after = (await titled(store))["Swimming"]
    assert job.counts == {"added": 1, "removed": 1, "unchanged": 1}
    assert (after.id != before.id, await counted(pool)) == (True, [2, 3, 3, 3])


async def test_a_file_that_moved_to_another_folder_under_its_name_is_moved(
    docs: Path, index: Index, store: Store
) -> None:
    await index(of(docs))
    before = (await titled(store))["Pool"]
    (docs / "sub").mkdir()
    (docs / "pool.txt").rename(docs / "sub/pool.txt")
    await index(of(docs))
    assert (await titled(store))["Pool"].id == before.id


async def test_of_two_copies_of_a_file_that_vanished_one_is_it_and_the_other_is_new(
    docs: Path, index: Index, store: Store
) -> None:
    await index(of(docs))
    content = (docs / "refunds.md").read_bytes()
    (docs / "refunds.md").unlink()
    (docs / "a.md").write_bytes(content)
    (docs / "b.md").write_bytes(content)
    job = await index(of(docs))
    assert job.counts == {"moved": 2, "added": 1, "unchanged": 1}
    assert await store.count() == (3, 5)


async def test_a_retired_document_that_is_moved_stays_retired(docs: Path, index: Index, store: Store) -> None:
    await index(of(docs))
    before = (await titled(store))["Giving back"]
    await store.change_document(before.id, retired=True)
    (docs / "refunds.md").rename(docs / "returns.md")
    await index(of(docs))
    after = (await titled(store))["Giving back"]
    assert (after.id, after.status) == (before.id, "retired")


async def test_a_retired_document_stays_retired_when_its_file_changes(docs: Path, index: Index, store: Store) -> None:
    await index(of(docs))
    await store.change_document((await titled(store))["Giving back"].id, retired=True)
    (docs / "refunds.md").write_text("# Giving back\n\nSixty days.")
    await index(of(docs))
    document = (await titled(store))["Giving back"]
    assert (document.status, document.version, await store.count()) == ("retired", 2, (1, 2))


async def test_new_files_are_shown_as_being_indexed_before_the_first_is_read(
    docs: Path, ingest: Ingest, store: Store, jobs: JobStore
) -> None:
    seen: list[str] = []

    class Watching(FakeEmbedder):
        async def embed(self, texts: Sequence[str]) -> np.ndarray:
            seen.extend(each.status for each in await store.list_documents())
            return await super().embed(texts)

    await replace(ingest, embedder=Watching()).run(await jobs.add(of(docs)))
    assert seen == ["indexing", "indexing", "ready", "indexing"]


async def test_an_uploaded_document_is_known_by_its_name(index: Index, store: Store) -> None:
    upload = Upload("a.md", b"# Refunds\n\nThirty days.", title="Returns", effective_date=NEXT_YEAR, access=("staff",))
    job = await index(IndexRequest(uploads=(upload,)))
    document = (await titled(store))["Returns"]
    assert (job.counts, document.source, document.effective_date, document.access) == (
        {"added": 1},
        "a.md",
        NEXT_YEAR,
        ("staff",),
    )


@pytest.mark.parametrize(
    ("second", "outcome", "version", "text"),
    [(b"Second.", "changed", 2, "Second."), (b"First.", "unchanged", 1, "First.")],
)
async def test_of_two_uploads_of_one_name_the_last_one_stays(
    index: Index, store: Store, second: bytes, outcome: str, version: int, text: str
) -> None:
    job = await index(IndexRequest(uploads=(Upload("a.md", b"First."), Upload("a.md", second))))
    (document,) = await store.list_documents()
    assert (job.counts, document.version, await texts(store)) == ({"added": 1, outcome: 1}, version, [text])


async def test_an_upload_stays_when_a_folder_is_indexed(docs: Path, index: Index, store: Store) -> None:
    await index(IndexRequest(uploads=(Upload("a.md", b"First."),)))
    await index(of(docs))
    assert len(await store.list_documents()) == 3


async def test_the_day_that_a_document_gives_itself_holds(docs: Path, index: Index, store: Store) -> None:
    (docs / "prices.md").write_text(f"---\neffective_date: {NEXT_YEAR.isoformat()}\n---\n# Prices\n\nTen euros.")
    await index(of(docs))
    assert (await titled(store))["Prices"].effective_date == NEXT_YEAR


async def test_labels_of_a_request_reach_its_documents(docs: Path, index: Index, store: Store) -> None:
    await index(of(docs, access=("staff",)))
    assert {each.access for each in await store.list_documents()} == {("staff",)}


async def test_other_labels_are_a_change(docs: Path, index: Index, store: Store) -> None:
    await index(of(docs, access=("staff",)))
    job = await index(of(docs, access=("owner",)))
    assert job.counts == {"changed": 2}
    assert {each.access for each in await store.list_documents()} == {("owner",)}


async def test_labels_that_an_operator_gave_stay_when_the_file_changes(docs: Path, index: Index, store: Store) -> None:
    await index(of(docs))
    await store.change_document((await titled(store))["Pool"].id, access=("staff",))
    (docs / "pool.txt").write_text("The pool opens at nine.")
    await index(of(docs))
    assert (await titled(store))["Pool"].access == ("staff",)


async def test_a_job_that_ended_is_passed_over(docs: Path, ingest: Ingest, jobs: JobStore, store: Store) -> None:
    job_id = await jobs.add(of(docs))
    await jobs.end(job_id)
    await ingest.run(job_id)
    assert await store.list_documents() == []


async def test_a_job_goes_on_after_the_last_document_that_was_stored(
    docs: Path, ingest: Ingest, jobs: JobStore, store: Store, embedder: FakeEmbedder
) -> None:
    class Failing(FakeEmbedder):
        async def embed(self, texts: Sequence[str]) -> np.ndarray:
            if "Giving" in texts[0]:
                raise EmbeddingError("The service does not answer; try again later.")
            return await super().embed(texts)

    job_id = await jobs.add(of(docs))
    with pytest.raises(EmbeddingError):
        await replace(ingest, embedder=Failing()).run(job_id)
    await ingest.run(job_id)
    job = await jobs.get(job_id)
    assert job is not None
    assert (job.state, job.counts) == ("done", {"added": 2})
    assert {each.version for each in await store.list_documents()} == {1}
    assert not any("pool" in text for text in embedder.embedded)


async def test_the_pages_of_a_sitemap_are_indexed(index: Index, store: Store, site: LoopbackSite) -> None:
    url = serve_site(site, "a", "b")
    job = await index(IndexRequest(urls=(url,)))
    assert (job.state, job.counts, sorted(await titled(store))) == ("done", {"added": 2}, ["Page a", "Page b"])


async def test_a_page_that_left_its_sitemap_is_removed(index: Index, store: Store, site: LoopbackSite) -> None:
    await index(IndexRequest(urls=(serve_site(site, "a", "b"),)))
    job = await index(IndexRequest(urls=(serve_site(site, "a"),)))
    assert (job.counts, list(await titled(store))) == ({"unchanged": 1, "removed": 1}, ["Page a"])


async def answer_503(_: web.Request) -> web.Response:
    return web.Response(status=503)


async def test_a_sitemap_that_fails_removes_nothing(index: Index, store: Store, site: LoopbackSite) -> None:
    url = serve_site(site, "a", "b")
    await index(IndexRequest(urls=(url,)))
    site.answers("/sitemap.xml", answer_503)
    job = await index(IndexRequest(urls=(url,)))
    assert (job.state, job.counts, await store.count()) == ("failed", {"failed": 1}, (2, 2))


async def test_a_page_that_fails_keeps_what_it_said(index: Index, store: Store, site: LoopbackSite) -> None:
    url = serve_site(site, "a", "b")
    await index(IndexRequest(urls=(url,)))
    site.answers("/a", answer_503)
    job = await index(IndexRequest(urls=(url,)))
    document = (await titled(store))["Page a"]
    assert (job.counts, document.status, document.error is None) == ({"failed": 1, "unchanged": 1}, "failed", False)
    assert await store.count() == (2, 2)


async def test_a_page_by_itself_is_indexed(index: Index, store: Store, site: LoopbackSite) -> None:
    serve_site(site, "a")
    job = await index(IndexRequest(urls=(site.url("/a"),)))
    assert (job.counts, list(await titled(store))) == ({"added": 1}, ["Page a"])


def serve_site(site: LoopbackSite, *names: str) -> str:
    """Serve a page a name, and a sitemap of them; returns its URL."""
    for name in names:
        site.serves(
            f"/{name}",
            f"<title>Page {name}</title><h1>Page {name}</h1><p>It says {name}.</p>",
        )
    entries = "".join(f"<url><loc>{site.url(f'/{name}')}</loc></url>" for name in names)
    return site.serves(
        "/sitemap.xml",
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</urlset>',
        content_type="application/xml",
    )
