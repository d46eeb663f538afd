"""What becomes of a job when some of its documents cannot be read."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from knowledge import ingest as ingest_module
from knowledge.embedders.fake import FakeEmbedder
from knowledge.ingest import Ingest
from knowledge.jobs import IndexRequest, JobStore, NewItem
from knowledge.store import Store
from tests.knowledge.conftest import Index
from tests.knowledge.documents import of, reasons, texts, titled

pytestmark = pytest.mark.integration

BROKEN = b"\x00\xff\x00"


@pytest.mark.parametrize("content", [BROKEN, b"", b"   \n"], ids=["binary", "empty", "blank"])
async def test_a_file_that_broke_keeps_its_last_good_version_and_says_why(
    docs: Path, index: Index, store: Store, content: bytes
) -> None:
    await index(of(docs))
    (docs / "pool.txt").write_bytes(content)
    job = await index(of(docs))
    document = (await titled(store))["Pool"]
    assert (job.state, job.counts) == ("failed", {"failed": 1, "unchanged": 1})
    assert (document.status, document.error, document.version) == ("failed", reasons(job)["pool.txt"], 1)
    assert "The pool opens at seven." in await texts(store)


async def test_a_file_that_was_restored_settles_again(
    docs: Path, index: Index, store: Store, embedder: FakeEmbedder
) -> None:
    await index(of(docs))
    content = (docs / "pool.txt").read_bytes()
    (docs / "pool.txt").write_bytes(BROKEN)
    await index(of(docs))
    (docs / "pool.txt").write_bytes(content)
    embedder.embedded.clear()
    job = await index(of(docs))
    document = (await titled(store))["Pool"]
    assert (job.counts, embedder.embedded) == ({"unchanged": 2}, [])
    assert (document.status, document.error, document.version) == ("ready", None, 1)


async def test_a_file_that_was_never_good_is_added_when_it_is_mended(docs: Path, index: Index, store: Store) -> None:
    (docs / "pool.txt").write_bytes(BROKEN)
    await index(of(docs))
    (docs / "pool.txt").write_text("The pool opens at eight.")
    job = await index(of(docs))
    document = (await titled(store))["Pool"]
    assert job.counts == {"added": 1, "unchanged": 1}
    assert (document.status, document.error, document.version) == ("ready", None, 1)


async def test_one_bad_file_among_good_ones_fails_alone(docs: Path, index: Index, store: Store) -> None:
    (docs / "a-broken.md").write_bytes(BROKEN)
    (docs / "z-good.md").write_text("# Good\n\nAll is well.")
    job = await index(of(docs))
    assert (job.state, job.error, job.counts) == ("failed", None, {"added": 3, "failed": 1})
    assert (list(reasons(job)), await store.count()) == (["a-broken.md"], (3, 4))


async def test_a_pipe_in_the_folder_fails_and_is_not_waited_for(docs: Path, index: Index) -> None:
    os.mkfifo(docs / "pipe.md")
    job = await asyncio.wait_for(index(of(docs)), 20)
    assert (job.counts, reasons(job)) == (
        {"added": 2, "failed": 1},
        {"pipe.md": "it is not a file; check the path."},
    )


async def test_a_link_out_of_the_folder_fails_and_what_it_leads_to_is_not_read(
    docs: Path, index: Index, store: Store
) -> None:
    (docs.parent / "secret.md").write_text("# Secret\n\nThe code is 1234.")
    (docs / "link.md").symlink_to(docs.parent / "secret.md")
    job = await index(of(docs))
    assert (job.counts, list(reasons(job))) == ({"added": 2, "failed": 1}, ["link.md"])
    assert "The code is 1234." not in await texts(store)


async def test_links_in_circles_and_names_that_are_no_text_stop_nothing(docs: Path, index: Index) -> None:
    (docs / "loop.md").symlink_to(docs / "loop.md")
    Path(os.fsdecode(bytes(docs) + b"/gr\xfcn.md")).write_text("text")
    job = await index(of(docs))
    assert (job.state, job.counts) == ("failed", {"added": 2, "failed": 2})


async def test_a_file_that_cannot_be_opened_fails_and_keeps_what_it_said(
    docs: Path, index: Index, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await index(of(docs))
    read_bytes = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == "pool.txt":
            raise PermissionError(13, "Permission denied", str(path))
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    job = await index(of(docs))
    assert reasons(job) == {"pool.txt": "it cannot be opened; check that it is a file and its permissions."}
    assert await store.count() == (2, 3)


async def test_a_file_that_is_too_large_is_not_even_read(
    docs: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_module, "MAX_BINARY_BYTES", 30)
    job = await index(of(docs))
    assert (job.counts, list(reasons(job))) == ({"added": 1, "failed": 1}, ["refunds.md"])


async def test_a_file_that_vanishes_between_listing_and_reading_fails(
    docs: Path, ingest: Ingest, jobs: JobStore
) -> None:
    job_id = await jobs.add(IndexRequest())
    await jobs.expand(job_id, [NewItem("file", str(docs / "gone.md"), {}), NewItem("file", str(docs / "pool.txt"), {})])
    await ingest.run(job_id)
    job = await jobs.get(job_id)
    assert job is not None
    assert (job.counts, list(reasons(job))) == ({"added": 1, "failed": 1}, ["gone.md"])


async def test_a_folder_that_vanishes_after_it_was_listed_fails_file_by_file(
    docs: Path, ingest: Ingest, jobs: JobStore, store: Store, index: Index
) -> None:
    await index(of(docs))
    job_id = await jobs.add(of(docs))
    await jobs.expand(job_id, [NewItem("file", str(docs / name), {}) for name in ("pool.txt", "refunds.md")])
    docs.rename(docs.parent / "elsewhere")
    await ingest.run(job_id)
    job = await jobs.get(job_id)
    assert job is not None
    assert (job.counts, await store.count()) == ({"failed": 2}, (2, 3))


async def test_an_error_that_nobody_foresaw_concerns_one_document(
    docs: Path, ingest: Ingest, jobs: JobStore, store: Store
) -> None:
    class Odd(FakeEmbedder):
        async def embed(self, texts: Sequence[str]) -> np.ndarray:
            if "pool" in texts[0]:
                raise ZeroDivisionError
            return await super().embed(texts)

    job_id = await jobs.add(of(docs))
    await replace(ingest, embedder=Odd()).run(job_id)
    job = await jobs.get(job_id)
    assert job is not None
    assert job.counts == {"added": 1, "failed": 1}
    assert "ZeroDivisionError" in reasons(job)["pool.txt"]
