import asyncio
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from psycopg_pool import AsyncConnectionPool

from knowledge.errors import KnowledgeError
from knowledge.jobs import IndexRequest, JobStore, NewItem
from knowledge.store import Collection, ItemEnd, Known, Store
from knowledge.types import Chunk, LoadedDocument, Section
from knowledge.vectors import Model
from tests.knowledge.documents import CHUNKS, NEXT_YEAR, TEXT, WINDOWS, axes, counted, put

pytestmark = pytest.mark.integration

TABLES = ("documents", "chunks", "windows", "vectors_1")


async def test_a_document_is_stored_with_its_chunks_windows_and_vectors(
    store: Store, model: Model, pool: AsyncConnectionPool[Any]
) -> None:
    await put(store, model)
    assert await counted(pool, *TABLES) == [1, 3, 4, 4]


async def test_a_window_is_its_part_of_the_chunk(store: Store, model: Model) -> None:
    document_id = await put(store, model)
    windows = await store.windows_of([document_id])
    assert [(each.text, each.heading_path) for each in windows] == list(
        zip(WINDOWS, [(), ("A",), ("A",), ("B",)], strict=True)
    )


async def test_a_document_replaces_what_stood_under_its_source(
    store: Store, model: Model, pool: AsyncConnectionPool[Any]
) -> None:
    document_id = await put(store, model)
    assert await put(store, model, title="B", chunks=CHUNKS[:1]) == document_id
    (document,) = await store.list_documents(collection="default")
    assert (document.title, document.version, document.chunks) == ("B", 2, 1)
    assert await counted(pool, *TABLES) == [1, 1, 1, 1]


async def test_a_source_may_be_in_several_collections(store: Store, model: Model) -> None:
    await store.make_collection("other")
    await put(store, model)
    await put(store, model, collection="other")
    assert await store.count() == (2, 6)


async def test_a_collection_made_twice_is_one(store: Store) -> None:
    await store.make_collection("default")
    assert await store.collections() == {"default": Collection("default", 0.0, None, None)}


@pytest.mark.parametrize("name", ["", "My Manuals", "../up", "-a", "ä", "a" * 64])
async def test_a_collection_is_called_only_what_its_index_on_disk_can_be_called(store: Store, name: str) -> None:
    with pytest.raises(KnowledgeError, match="lower-case letters"):
        await store.make_collection(name)


async def test_collections_are_made_while_documents_are_written(store: Store, model: Model) -> None:
    async def write() -> None:
        for number in range(40):
            await put(store, model, source=f"/{number}.md")

    async def make() -> None:
        for number in range(20):
            await store.make_collection(f"c{number}")

    await asyncio.gather(write(), make())
    assert await store.count() == (40, 120)


async def test_a_removed_document_is_gone_from_every_table(
    store: Store, model: Model, pool: AsyncConnectionPool[Any]
) -> None:
    assert await store.remove_document(await put(store, model))
    assert await counted(pool, *TABLES, "removed_documents") == [0, 0, 0, 0, 1]


async def test_removing_by_source_spares_other_sources(store: Store, model: Model) -> None:
    await put(store, model)
    await put(store, model, source="/b.md")
    assert await store.remove_source(collection="default", source="/a.md")
    assert [each.source for each in await store.list_documents()] == ["/b.md"]


async def test_removing_what_is_not_there_says_so(store: Store) -> None:
    assert not await store.remove_document(uuid4())
    assert not await store.remove_source(collection="default", source="/a.md")


async def test_a_document_that_fails_keeps_what_it_said_and_says_why(store: Store, model: Model) -> None:
    await put(store, model)
    await store.fail_document(collection="default", source="/a.md", title="A", error="it is damaged.")
    (document,) = await store.list_documents()
    assert (document.status, document.error, document.version, document.chunks) == ("failed", "it is damaged.", 1, 3)
    assert await store.count() == (1, 3)


async def test_a_document_that_fails_at_once_is_listed_and_does_not_answer(store: Store) -> None:
    await store.fail_document(collection="default", source="/a.md", title="A", error="it is damaged.")
    (document,) = await store.list_documents()
    assert (document.status, document.version, await store.count()) == ("failed", 0, (0, 0))
    assert await store.changes(after=0, limit=10) == []


async def test_a_document_that_is_as_it_was_settles(store: Store, model: Model) -> None:
    await put(store, model)
    await store.fail_document(collection="default", source="/a.md", title="A", error="it is damaged.")
    await store.settle_document(collection="default", source="/a.md")
    (document,) = await store.list_documents()
    assert (document.status, document.error, document.version) == ("ready", None, 1)


async def test_a_new_document_is_shown_as_being_indexed_and_does_not_answer(store: Store) -> None:
    await store.begin_documents(collection="default", sources=[("/a.md", "A"), ("/b.md", "B")])
    assert [each.status for each in await store.list_documents()] == ["indexing", "indexing"]
    assert (await store.count(), await store.changes(after=0, limit=10)) == ((0, 0), [])


async def test_beginning_nothing_is_nothing(store: Store) -> None:
    await store.begin_documents(collection="default", sources=[])
    assert await store.list_documents() == []


async def test_a_moved_document_keeps_its_id_chunks_and_vectors(
    store: Store, model: Model, pool: AsyncConnectionPool[Any]
) -> None:
    document_id = await put(store, model)
    before = await store.windows_of([document_id])
    await store.begin_documents(collection="default", sources=[("/b.md", "B")])
    await store.move_document(collection="default", source="/a.md", new_source="/b.md")
    (document,) = await store.list_documents()
    assert (document.id, document.source, document.version, document.status) == (document_id, "/b.md", 1, "ready")
    assert (await store.windows_of([document_id]), await counted(pool, "vectors_1")) == (before, [4])


async def test_a_write_that_fails_leaves_the_old_document(store: Store, model: Model) -> None:
    await put(store, model)
    with pytest.raises(ValueError, match="zip"):
        await put(store, model, title="B", embeddings=axes(0))
    (document,) = await store.list_documents()
    assert (document.title, document.chunks, document.version) == ("A", 3, 1)


async def test_the_end_of_an_item_is_stored_with_what_it_did_or_not_at_all(
    store: Store, model: Model, jobs: JobStore
) -> None:
    job_id = await jobs.add(IndexRequest())
    await jobs.expand(job_id, [NewItem("file", "/a.md", {})])
    with pytest.raises(ValueError, match="zip"):
        await put(store, model, embeddings=axes(0), also=ItemEnd(job_id, 0, "added"))
    assert await jobs.next_item(job_id) is not None
    await put(store, model, also=ItemEnd(job_id, 0, "added"))
    assert await jobs.next_item(job_id) is None


async def test_what_is_known_of_a_source_is_its_last_good_content(store: Store, model: Model) -> None:
    await put(store, model)
    await store.fail_document(collection="default", source="/a.md", title="A", error="it is damaged.")
    await store.begin_documents(collection="default", sources=[("/b.md", "B")])
    assert await store.known(collection="default") == {
        "/a.md": Known("hash", "failed"),
        "/b.md": Known("", "indexing"),
    }


async def test_a_sitemaps_pages_stay_its_own_when_they_are_indexed_by_themselves(store: Store, model: Model) -> None:
    await put(store, model, source="https://a/1", origin="https://a/sitemap.xml")
    await put(store, model, source="https://a/1", content_hash="other")
    assert await store.sources_of(collection="default", origin="https://a/sitemap.xml") == {"https://a/1"}


async def test_documents_are_listed_page_by_page(store: Store, model: Model) -> None:
    for name in "cab":
        await put(store, model, source=f"/{name}.md")
    first = await store.list_documents(limit=2)
    rest = await store.list_documents(limit=2, after=first[-1].source)
    assert [each.source for each in first + rest] == ["/a.md", "/b.md", "/c.md"]


async def test_offsets_count_characters_not_bytes(store: Store, model: Model) -> None:
    text = "Grüße 🏨! Täglich."
    document_id = await store.write_document(
        collection="default",
        source="/a.md",
        content_hash="",
        document=LoadedDocument("A", text, (Section((), 0, len(text)),)),
        chunks=[Chunk(0, ("Ö",), "🏨! Täglich.", 6, 17, windows=((0, 2), (3, 11)))],
        embeddings=axes(0, 1),
        model=model,
        access=None,
        effective_date=None,
    )
    assert [each.text for each in await store.windows_of([document_id])] == ["🏨!", "Täglich."]


async def test_passages_say_where_they_stand(store: Store, model: Model) -> None:
    document_id = await put(store, model)
    chunk_ids = sorted({each.chunk_id for each in await store.windows_of([document_id])})
    passages = await store.passages(chunk_ids, collection="default", access=())
    found = [passages[chunk_id] for chunk_id in chunk_ids]
    assert [(each.text, each.start, each.end, each.page) for each in found] == [
        ("Intro.", 0, 6, 1),
        ("First part. Second part.", 7, 31, 2),
        ("End of it.", 32, 42, 2),
    ]


@pytest.mark.parametrize(
    ("state", "access", "seen"),
    [
        ({}, (), 3),
        ({"access": ("staff",)}, (), 0),
        ({"access": ("staff", "owner")}, ("owner",), 3),
        ({"effective_date": NEXT_YEAR}, (), 0),
        ({"effective_date": date.today()}, (), 3),
    ],
)
async def test_passages_are_only_what_may_be_seen(
    store: Store, model: Model, state: dict[str, Any], access: tuple[str, ...], seen: int
) -> None:
    document_id = await put(store, model, **state)
    chunk_ids = {each.chunk_id for each in await store.windows_of([document_id])}
    assert len(await store.passages(list(chunk_ids), collection="default", access=access)) == seen


async def test_titles_and_texts_are_those_of_what_answers(store: Store, model: Model) -> None:
    document_id = await put(store, model)
    await put(store, model, source="/b.md", title="B")
    await store.change_document(document_id, retired=True)
    assert {title: len(ids) for title, ids in (await store.titles(collection="default")).items()} == {"B": 3}


async def test_old_removals_are_forgotten(store: Store, model: Model, pool: AsyncConnectionPool[Any]) -> None:
    await store.remove_document(await put(store, model))
    await store.remove_document(await put(store, model))
    async with pool.connection() as connection:
        await connection.execute(
            "update removed_documents set removed_at = now() - interval '91 days' "
            "where change = (select min(change) from removed_documents)"
        )
    await store.forget_removals()
    assert await counted(pool, "removed_documents") == [1]


async def test_a_database_keeps_its_id(store: Store) -> None:
    assert await store.database_id() == await store.database_id()


@pytest.mark.parametrize(("shortfall", "titles"), [(0, {"Old", "New"}), (1, {"New"}), (len(TEXT) + 1, set())])
async def test_of_too_many_texts_those_that_were_indexed_last_are_given(
    store: Store, model: Model, shortfall: int, titles: set[str]
) -> None:
    for title in ("Old", "New"):
        await put(store, model, source=f"/{title}.md", title=title)
    texts = await store.all_texts(max_characters=2 * len(TEXT) - shortfall)
    assert set(texts) - {TEXT} == titles
