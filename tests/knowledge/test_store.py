import numpy as np
import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool

from knowledge.errors import KnowledgeUnavailableError
from knowledge.store import Store
from knowledge.types import Chunk

pytestmark = pytest.mark.integration

TEXT = "Intro.\nFirst window. Second window.\nEnd of it."
CHUNKS = [
    Chunk(0, (), "Intro.", 0, 6, section=0),
    Chunk(1, ("A",), "First window.", 7, 20, section=1),
    Chunk(2, ("A",), "Second window.", 21, 35, section=1),
    Chunk(3, ("B",), "End of it.", 36, 46, section=2),
]


def axes(*numbers: int) -> np.ndarray:
    return np.eye(384, dtype=np.float32)[list(numbers)]


async def put(store: Store, *, source: str = "/a.md", collection: str = "default", title: str = "A") -> None:
    await store.upsert_document(
        collection=collection,
        source=source,
        title=title,
        content_hash="hash",
        text=TEXT,
        chunks=CHUNKS,
        embeddings=axes(0, 1, 2, 3),
    )


async def test_migrating_twice_changes_nothing(store: Store) -> None:
    await put(store)
    await store.migrate()
    assert await store.count() == (1, 4)


async def test_a_document_replaces_what_stood_under_its_source(store: Store) -> None:
    await put(store)
    await put(store, title="B")
    (document,) = await store.list_documents(collection="default")
    assert (document.title, document.version, document.chunks) == ("B", 2, 4)


async def test_a_source_may_be_in_several_collections(store: Store) -> None:
    await put(store)
    await put(store, collection="other")
    assert await store.count() == (2, 8)


async def test_removing_a_document_removes_its_chunks(store: Store) -> None:
    await put(store)
    assert await store.remove_document(collection="default", source="/a.md")
    assert await store.count() == (0, 0)


async def test_removing_what_is_not_there_says_so(store: Store) -> None:
    assert not await store.remove_document(collection="default", source="/a.md")


async def test_a_failure_takes_the_place_of_the_document(store: Store) -> None:
    await put(store)
    await store.record_failure(collection="default", source="/a.md", title="A", error="it is a binary file.")
    (document,) = await store.list_documents(collection="default")
    assert (document.error, document.chunks, await store.count()) == ("it is a binary file.", 0, (0, 0))


async def test_a_write_that_fails_leaves_the_old_document(store: Store) -> None:
    await put(store)
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        await store.upsert_document(
            collection="default",
            source="/a.md",
            title="B",
            content_hash="",
            text=TEXT,
            chunks=CHUNKS,
            embeddings=axes(0),
        )
    (document,) = await store.list_documents(collection="default")
    assert (document.title, document.chunks) == ("A", 4)


async def test_the_nearest_chunks_come_with_their_cosine(store: Store) -> None:
    await put(store)
    question = 0.6 * axes(0)[0] + 0.8 * axes(1)[0]
    found = await store.similarities(question, limit=2)
    assert sorted(found.values()) == pytest.approx([0.6, 0.8], abs=1e-3)


async def test_chunks_asked_for_besides_come_with_their_cosine(store: Store) -> None:
    await put(store)
    last = (await store.all_chunks())[-1].id
    assert last in await store.similarities(axes(0)[0], limit=1, also=[last])


async def test_a_short_section_is_one_passage_with_its_best_chunks_values(store: Store) -> None:
    await put(store)
    ids = [chunk.id for chunk in await store.all_chunks()]
    passages = await store.passages({ids[1]: (0.5, 0.1), ids[2]: (0.9, 0.2)}, max_characters=100)
    assert [(each.text, each.start, each.end, each.score, each.similarity) for each in passages] == [
        ("First window. Second window.", 7, 35, 0.9, 0.2)
    ]


async def test_a_long_section_is_a_passage_a_chunk(store: Store) -> None:
    await put(store)
    ids = [chunk.id for chunk in await store.all_chunks()]
    passages = await store.passages({ids[1]: (0.5, 0.1), ids[2]: (0.9, 0.2)}, max_characters=20)
    assert [each.text for each in passages] == ["Second window.", "First window."]
    assert all(TEXT[each.start : each.end] == each.text for each in passages)


async def test_offsets_count_characters_not_bytes(store: Store) -> None:
    text = "Grüße 🏨! Täglich."
    await store.upsert_document(
        collection="default",
        source="/a.md",
        title="A",
        content_hash="",
        text=text,
        chunks=[Chunk(0, ("Ö",), "Täglich.", 9, 17)],
        embeddings=axes(0),
    )
    (chunk,) = await store.all_chunks()
    (passage,) = await store.passages({chunk.id: (1.0, 1.0)}, max_characters=100)
    assert passage.text == text[passage.start : passage.end] == "Täglich."


async def test_all_texts_hold_titles_and_texts(store: Store) -> None:
    await put(store)
    assert await store.all_texts() == ["A", TEXT]


async def test_every_write_announces_itself(store: Store, database_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as listener:
        await listener.execute("listen knowledge_changed")
        await put(store)
        await store.remove_document(collection="default", source="/a.md")
        announced = [notify async for notify in listener.notifies(timeout=5, stop_after=2)]
    assert len(announced) == 2


async def test_a_database_that_is_not_there_is_said_plainly() -> None:
    pool = AsyncConnectionPool(
        "postgresql://127.0.0.1:1/x?connect_timeout=1", min_size=0, max_size=1, timeout=0.2, open=False
    )
    async with pool:
        with pytest.raises(KnowledgeUnavailableError, match="check that Postgres runs"):
            await Store(pool).count()
