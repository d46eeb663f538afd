from pathlib import Path

import pytest

from knowledge.embedders.fake import FakeEmbedder
from knowledge.ingest import IngestProgress, ingest
from knowledge.store import Store

pytestmark = pytest.mark.integration


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    (tmp_path / "refunds.md").write_text("# Refunds\n\nThirty days.\n\n## Cost\n\nFree.")
    (tmp_path / "pool.txt").write_text("The pool opens at seven.")
    return tmp_path


async def test_the_files_of_a_folder_are_added(docs: Path, store: Store, embedder: FakeEmbedder) -> None:
    report = await ingest([docs], store=store, embedder=embedder)
    assert (report.added, report.failed, await store.count()) == (2, (), (2, 3))


async def test_an_unchanged_file_is_skipped(docs: Path, store: Store, embedder: FakeEmbedder) -> None:
    await ingest([docs], store=store, embedder=embedder)
    embedder.embedded.clear()
    report = await ingest([docs], store=store, embedder=embedder)
    assert (report.unchanged, embedder.embedded) == (2, [])


async def test_a_changed_file_replaces_its_chunks(docs: Path, store: Store, embedder: FakeEmbedder) -> None:
    await ingest([docs], store=store, embedder=embedder)
    (docs / "refunds.md").write_text("# Refunds\n\nSixty days.")
    report = await ingest([docs], store=store, embedder=embedder)
    assert (report.changed, report.unchanged) == (1, 1)
    assert [chunk.text for chunk in await store.all_chunks()] == ["The pool opens at seven.", "Sixty days."]


async def test_a_file_that_vanished_from_a_folder_is_removed(docs: Path, store: Store, embedder: FakeEmbedder) -> None:
    await ingest([docs], store=store, embedder=embedder)
    (docs / "pool.txt").unlink()
    report = await ingest([docs], store=store, embedder=embedder)
    assert (report.removed, await store.count()) == (1, (1, 2))


async def test_a_named_file_that_vanished_is_removed(docs: Path, store: Store, embedder: FakeEmbedder) -> None:
    await ingest([docs], store=store, embedder=embedder)
    (docs / "pool.txt").unlink()
    report = await ingest([docs / "pool.txt"], store=store, embedder=embedder)
    assert (report.removed, report.failed) == (1, ())


async def test_a_path_that_never_was_there_fails(tmp_path: Path, store: Store, embedder: FakeEmbedder) -> None:
    report = await ingest([tmp_path / "gone"], store=store, embedder=embedder)
    assert "no such file or folder" in report.failed[0].reason


async def test_files_outside_the_given_paths_stay(docs: Path, store: Store, embedder: FakeEmbedder) -> None:
    await ingest([docs], store=store, embedder=embedder)
    report = await ingest([docs / "refunds.md"], store=store, embedder=embedder)
    assert (report.removed, await store.count()) == (0, (2, 3))


async def test_a_broken_document_is_reported_and_the_others_go_on(
    docs: Path, store: Store, embedder: FakeEmbedder
) -> None:
    (docs / "a-broken.md").write_bytes(b"\x00\xff\x00")
    report = await ingest([docs], store=store, embedder=embedder)
    assert ([failure.source for failure in report.failed], report.added) == ([str(docs / "a-broken.md")], 2)


async def test_a_document_that_broke_is_listed_with_its_reason(
    docs: Path, store: Store, embedder: FakeEmbedder
) -> None:
    await ingest([docs], store=store, embedder=embedder)
    (docs / "pool.txt").write_bytes(b"\x00\xff\x00")
    await ingest([docs], store=store, embedder=embedder)
    failed = [each for each in await store.list_documents(collection="default") if each.error]
    assert [(each.source, each.chunks) for each in failed] == [(str(docs / "pool.txt"), 0)]


async def test_a_document_that_was_mended_is_indexed(docs: Path, store: Store, embedder: FakeEmbedder) -> None:
    (docs / "pool.txt").write_bytes(b"\x00\xff\x00")
    await ingest([docs], store=store, embedder=embedder)
    (docs / "pool.txt").write_text("The pool opens at eight.")
    await ingest([docs], store=store, embedder=embedder)
    assert [each.error for each in await store.list_documents(collection="default")] == [None, None]


async def test_another_model_embeds_everything_again(docs: Path, store: Store, embedder: FakeEmbedder) -> None:
    await ingest([docs], store=store, embedder=embedder)
    other = FakeEmbedder(model_id="other")
    await ingest([], store=store, embedder=other)
    assert sorted(other.embedded) == sorted(embedder.embedded)
    assert await store.embedding_model() == "other"


async def test_progress_counts_every_file(docs: Path, store: Store, embedder: FakeEmbedder) -> None:
    seen: list[IngestProgress] = []
    await ingest([docs], store=store, embedder=embedder, on_progress=seen.append)
    assert seen == [
        IngestProgress(1, 2, str(docs / "pool.txt")),
        IngestProgress(2, 2, str(docs / "refunds.md")),
    ]
