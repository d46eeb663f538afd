from datetime import date, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from psycopg import sql
from psycopg_pool import AsyncConnectionPool

from knowledge.embedders.fake import FakeEmbedder
from knowledge.errors import ModelError
from knowledge.sql import queries
from knowledge.store import Store
from knowledge.types import Chunk, LoadedDocument, Section
from knowledge.vectors import NEAREST, Model, VectorStore

pytestmark = pytest.mark.integration

NEXT_YEAR = date.today() + timedelta(days=365)


def near(count: int, *, seed: int = 0) -> np.ndarray:
    """Unit vectors that all lie about the first axis."""
    vectors = np.random.default_rng(seed).normal(0, 0.05, (count, 384)).astype(np.float32)
    vectors[:, 0] += 1
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def axis(number: int) -> np.ndarray:
    return np.eye(384, dtype=np.float32)[number]


async def put(store: Store, model: Model, source: str, embeddings: np.ndarray, **parameters: Any) -> UUID:
    """Store a document of one chunk and one window a vector."""
    text = "word " * len(embeddings)
    chunks = [
        Chunk(number, (), "word", 5 * number, 5 * number + 4, windows=((0, 4),)) for number in range(len(embeddings))
    ]
    return await store.write_document(
        **{"collection": "default", "access": None, "effective_date": None} | parameters,
        source=source,
        content_hash=source,
        document=LoadedDocument(source, text, (Section((), 0, len(text)),)),
        chunks=chunks,
        embeddings=embeddings,
        model=model,
    )


async def chunk_ids(store: Store, document_id: UUID) -> set[int]:
    return {each.chunk_id for each in await store.windows_of([document_id])}


async def fill(vectors: VectorStore, model: Model, *, at_most: int | None = None) -> int:
    """Embed what the model has no vector of, all or one batch of `at_most`; returns how many there were."""
    embedder = FakeEmbedder(model_id=model.model_id)
    filled = 0
    while windows := await vectors.missing(model, limit=at_most or 100):
        await vectors.fill(model, windows, await embedder.embed([each.indexed_text for each in windows]))
        filled += len(windows)
        if at_most is not None:
            break
    return filled


async def tables(pool: AsyncConnectionPool[Any]) -> list[str]:
    async with pool.connection() as connection:
        cursor = await connection.execute("select relname from pg_class where relkind = 'p' order by 1")
        return [name for (name,) in await cursor.fetchall()]


async def test_the_first_model_is_the_one_that_searches_use(vectors: VectorStore, model: Model) -> None:
    assert await vectors.current() == model


async def test_a_model_that_is_there_already_is_the_same(vectors: VectorStore, model: Model) -> None:
    assert await vectors.add(model_id="fake", dimensions=384) == model


async def test_before_the_first_model_there_is_none(vectors: VectorStore) -> None:
    assert await vectors.current() is None


async def test_a_model_that_changed_its_length_is_refused(vectors: VectorStore, model: Model) -> None:
    with pytest.raises(ModelError, match="makes 256 numbers a vector, but 384 are stored"):
        await vectors.add(model_id="fake", dimensions=256)


async def test_a_model_too_long_to_index_is_refused(vectors: VectorStore) -> None:
    with pytest.raises(ModelError, match="at most 4000"):
        await vectors.add(model_id="fake", dimensions=4001)


async def test_a_model_as_long_as_can_be_indexed_finds(vectors: VectorStore, store: Store) -> None:
    long = await vectors.add(model_id="long", dimensions=4000)
    await put(store, long, "a", np.eye(4000, dtype=np.float32)[1:2])
    found = await vectors.nearest(long, np.eye(4000, dtype=np.float32)[1], collection="default", access=(), there=1)
    assert [similarity for _, similarity in found] == pytest.approx([1.0], abs=1e-3)


async def test_the_nearest_windows_come_with_their_cosine_best_first(
    vectors: VectorStore, store: Store, model: Model
) -> None:
    await put(store, model, "a", np.stack([axis(2), axis(0), axis(1)]))
    found = await vectors.nearest(model, 0.6 * axis(0) + 0.8 * axis(1), collection="default", access=(), there=3)
    assert [similarity for _, similarity in found] == pytest.approx([0.8, 0.6, 0], abs=1e-3)


async def test_no_more_come_than_a_hundred(vectors: VectorStore, store: Store, model: Model) -> None:
    await put(store, model, "a", near(150))
    assert len(await vectors.nearest(model, axis(0), collection="default", access=(), there=150)) == NEAREST


async def test_all_that_a_caller_may_see_comes_back_however_little_that_is(
    vectors: VectorStore, store: Store, model: Model
) -> None:
    await put(store, model, "many", near(998), access=("owner",))
    mine = await put(store, model, "mine", -near(2), access=("staff",))
    found = await vectors.nearest(model, axis(0), collection="default", access=("staff",), there=1000)
    assert {chunk_id for chunk_id, _ in found} == await chunk_ids(store, mine)


async def test_another_collection_never_appears(vectors: VectorStore, store: Store, model: Model) -> None:
    await store.make_collection("other")
    await put(store, model, "theirs", near(200), collection="other")
    mine = await put(store, model, "mine", -near(3))
    found = await vectors.nearest(model, axis(0), collection="default", access=(), there=3)
    assert {chunk_id for chunk_id, _ in found} == await chunk_ids(store, mine)


@pytest.mark.parametrize(
    ("state", "is_found"),
    [
        ({}, True),
        ({"effective_date": NEXT_YEAR}, False),
        ({"effective_date": date.today()}, True),
        ({"access": ("staff",)}, False),
        ({"access": ("guest", "staff")}, True),
    ],
)
async def test_only_what_holds_and_may_be_seen_is_found(
    vectors: VectorStore, store: Store, model: Model, state: dict[str, Any], is_found: bool
) -> None:
    await put(store, model, "a", near(3), **state)
    found = await vectors.nearest(model, axis(0), collection="default", access=("guest",), there=3)
    assert len(found) == (3 if is_found else 0)


async def test_a_retired_document_is_not_found_until_it_is_restored(
    vectors: VectorStore, store: Store, model: Model
) -> None:
    document_id = await put(store, model, "a", near(3))
    counts = []
    for retired in (True, False):
        await store.change_document(document_id, retired=retired)
        counts.append(len(await vectors.nearest(model, axis(0), collection="default", access=(), there=3)))
    assert counts == [0, 3]


async def test_a_collection_that_is_not_there_holds_nothing(vectors: VectorStore, model: Model) -> None:
    assert await vectors.nearest(model, axis(0), collection="nowhere", access=(), there=0) == []


async def test_a_collection_made_after_the_model_can_be_written_to(
    vectors: VectorStore, store: Store, model: Model
) -> None:
    await store.make_collection("later")
    await put(store, model, "a", near(1), collection="later")
    assert len(await vectors.nearest(model, axis(0), collection="later", access=(), there=1)) == 1


async def test_each_collection_has_an_index_of_its_own(
    store: Store, model: Model, pool: AsyncConnectionPool[Any]
) -> None:
    await store.make_collection("later")
    async with pool.connection() as connection:
        cursor = await connection.execute(
            "select tablename from pg_indexes "
            "where indexdef like '%USING hnsw%' and tablename like 'vectors_1_%' order by 1"
        )
        assert await cursor.fetchall() == [("vectors_1_1",), ("vectors_1_2",)]


async def test_a_search_goes_by_the_index_of_its_collection(
    store: Store, model: Model, pool: AsyncConnectionPool[Any]
) -> None:
    await put(store, model, "a", near(2000))
    statement = sql.SQL("explain " + queries()["nearest"]).format(vectors=sql.Identifier(model.table))
    async with pool.connection() as connection:
        await connection.execute("analyze vectors_1")
        cursor = await connection.execute(
            statement, {"collection": "default", "access": [], "question": str(axis(0).tolist())}
        )
        plan = "\n".join(line for (line,) in await cursor.fetchall())
    assert "Index Scan using vectors_1_1_embedding_idx" in plan


async def test_the_similarity_of_a_chunk_is_that_of_its_nearest_window(
    vectors: VectorStore, store: Store, model: Model
) -> None:
    await store.write_document(
        collection="default",
        source="a",
        content_hash="",
        document=LoadedDocument("A", "one two", (Section((), 0, 7),)),
        chunks=[Chunk(0, (), "one two", 0, 7, windows=((0, 3), (4, 7)))],
        embeddings=np.stack([axis(0), 0.6 * axis(0) + 0.8 * axis(1)]),
        model=model,
        access=None,
        effective_date=None,
    )
    assert list((await vectors.similarities(model, axis(1), [1, 99])).values()) == pytest.approx([0.8], abs=1e-3)


async def test_titles_are_as_alike_as_their_nearest_windows(vectors: VectorStore, store: Store, model: Model) -> None:
    await put(store, model, "a", np.stack([axis(0), axis(1)]))
    await put(store, model, "b", np.stack([0.6 * axis(0) + 0.8 * axis(1)]))
    assert await vectors.similarity_between_titles(model, collection="default") == pytest.approx(0.8, abs=1e-3)


async def test_a_single_title_is_like_no_other(vectors: VectorStore, store: Store, model: Model) -> None:
    await put(store, model, "a", near(5))
    assert await vectors.similarity_between_titles(model, collection="default") is None


async def test_another_model_misses_every_window(vectors: VectorStore, store: Store, model: Model) -> None:
    await put(store, model, "a", near(5))
    other = await vectors.add(model_id="other", dimensions=384)
    assert (await vectors.count_missing(other), await vectors.count_missing(model)) == (5, 0)


async def test_searches_use_the_old_model_until_the_new_one_has_all(
    vectors: VectorStore, store: Store, model: Model
) -> None:
    await put(store, model, "a", near(5))
    other = await vectors.add(model_id="other", dimensions=256)
    assert await vectors.current() == model
    assert len(await vectors.nearest(model, axis(0), collection="default", access=(), there=5)) == 5
    assert not other.is_current


async def test_the_old_vectors_are_gone_once_searches_use_the_new_ones(
    vectors: VectorStore, store: Store, model: Model, pool: AsyncConnectionPool[Any]
) -> None:
    await put(store, model, "a", near(5))
    other = await vectors.add(model_id="other", dimensions=384)
    await fill(vectors, other)
    await vectors.switch_to(other)
    assert [(each.model_id, each.is_current) for each in await vectors.models()] == [("other", True)]
    assert await tables(pool) == [other.table]
    assert len(await vectors.nearest(other, axis(0), collection="default", access=(), there=5)) == 5


async def test_embedding_anew_goes_on_where_it_was_interrupted(
    vectors: VectorStore, store: Store, model: Model
) -> None:
    await put(store, model, "a", near(5))
    first = await fill(vectors, await vectors.add(model_id="other", dimensions=384), at_most=2)
    again = await vectors.add(model_id="other", dimensions=384)
    assert (first, await fill(vectors, again), await vectors.count_missing(again)) == (2, 3, 0)


async def test_going_back_before_the_new_model_was_finished_takes_up_what_was_written_since(
    vectors: VectorStore, store: Store, model: Model, pool: AsyncConnectionPool[Any]
) -> None:
    await put(store, model, "a", near(5))
    other = await vectors.add(model_id="other", dimensions=384)
    await fill(vectors, other, at_most=2)
    await put(store, other, "b", near(3))
    back = await vectors.add(model_id="fake", dimensions=384)
    assert await fill(vectors, back) == 3
    await vectors.switch_to(back)
    assert (await tables(pool), await vectors.current()) == ([model.table], model)


async def test_switching_to_the_only_model_changes_nothing(vectors: VectorStore, model: Model) -> None:
    await vectors.switch_to(model)
    assert await vectors.models() == [model]


async def test_windows_that_are_gone_when_their_vectors_come_are_passed_over(
    vectors: VectorStore, store: Store, model: Model
) -> None:
    document_id = await put(store, model, "a", near(2))
    await put(store, model, "b", near(3))
    other = await vectors.add(model_id="other", dimensions=384)
    windows = await vectors.missing(other, limit=10)
    await store.remove_document(document_id)
    await vectors.fill(other, windows, near(5))
    assert len(await vectors.nearest(other, axis(0), collection="default", access=(), there=5)) == 3


async def test_what_changes_while_vectors_are_made_anew_holds_for_them(
    vectors: VectorStore, store: Store, model: Model
) -> None:
    retired = await put(store, model, "a", near(1))
    guarded = await put(store, model, "b", near(1))
    later = await put(store, model, "c", near(1))
    other = await vectors.add(model_id="other", dimensions=384)
    windows = await vectors.missing(other, limit=10)
    await store.change_document(retired, retired=True)
    await store.change_document(guarded, access=("staff",))
    await store.change_document(later, effective_date=NEXT_YEAR, set_date=True)
    await vectors.fill(other, windows, near(3))
    assert await vectors.nearest(other, axis(0), collection="default", access=(), there=3) == []


async def test_a_vector_stored_twice_is_there_once(vectors: VectorStore, store: Store, model: Model) -> None:
    await put(store, model, "a", near(2))
    other = await vectors.add(model_id="other", dimensions=384)
    windows = await vectors.missing(other, limit=10)
    await vectors.fill(other, windows, near(2))
    await vectors.fill(other, windows, near(2))
    assert len(await vectors.nearest(other, axis(0), collection="default", access=(), there=2)) == 2
