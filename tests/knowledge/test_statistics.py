from pathlib import Path

import pytest

from knowledge.jobs import IndexRequest
from knowledge.statistics import recount
from knowledge.store import Store
from knowledge.vectors import Model, VectorStore
from tests.knowledge.conftest import Index

pytestmark = pytest.mark.integration

SECTIONS = "".join(f"\n\n## Part {number}\n\nStep {number} of the way." for number in range(12))


def write(folder: Path, *titles: str, body: str) -> None:
    for title in titles:
        (folder / f"{title}.md").write_text(f"# {title}\n\n{body}")


async def test_near_identical_documents_about_different_things_are_searched_by_title(
    tmp_path: Path, index: Index, store: Store
) -> None:
    write(tmp_path, "Alpha", "Beta", "Gamma", body=SECTIONS)
    await index(IndexRequest(paths=(str(tmp_path),)))
    collection = (await store.collections())["default"]
    assert collection.title_similarity is not None
    assert collection.title_similarity > 0.7
    assert (collection.chunks_per_title, collection.title_weight) == (12, 1)


async def test_documents_of_few_chunks_are_not_searched_by_title(tmp_path: Path, index: Index, store: Store) -> None:
    write(tmp_path, "Alpha", "Beta", body="The way goes on for ever and ever, up and down.")
    await index(IndexRequest(paths=(str(tmp_path),)))
    collection = (await store.collections())["default"]
    assert (collection.chunks_per_title, collection.title_weight) == (1, 0)


async def test_a_single_title_decides_nothing(tmp_path: Path, index: Index, store: Store) -> None:
    write(tmp_path, "Alpha", body=SECTIONS)
    await index(IndexRequest(paths=(str(tmp_path),)))
    collection = (await store.collections())["default"]
    assert (collection.title_similarity, collection.title_weight) == (None, 0)


async def test_an_empty_collection_has_no_measures(store: Store, vectors: VectorStore, model: Model) -> None:
    await recount("default", store=store, vectors=vectors)
    collection = (await store.collections())["default"]
    assert (collection.title_similarity, collection.chunks_per_title, collection.title_weight) == (None, None, 0)


async def test_before_the_first_model_nothing_is_counted(store: Store, vectors: VectorStore) -> None:
    await recount("default", store=store, vectors=vectors)
    assert (await store.collections())["default"].title_weight == 0


async def test_another_collection_does_not_count(
    tmp_path: Path, index: Index, store: Store, vectors: VectorStore
) -> None:
    await store.make_collection("other")
    write(tmp_path, "Alpha", body=SECTIONS)
    await index(IndexRequest(paths=(str(tmp_path / "Alpha.md"),)))
    write(tmp_path, "Beta", body=SECTIONS)
    await index(IndexRequest(collection="other", paths=(str(tmp_path / "Beta.md"),)))
    await recount("default", store=store, vectors=vectors)
    assert (await store.collections())["default"].title_similarity is None
