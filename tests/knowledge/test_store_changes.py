"""What operators change in stored documents, and how indexes learn of changes."""

import asyncio
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool

from knowledge.database import Database
from knowledge.store import Store
from knowledge.vectors import Model, VectorStore
from tests.knowledge.documents import NEXT_YEAR, axes, counted, marks, put

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(("retired", "live"), [(True, False), (False, True)])
async def test_retiring_and_restoring_reach_the_vectors(
    store: Store, model: Model, pool: AsyncConnectionPool[Any], retired: bool, live: bool
) -> None:
    document_id = await put(store, model)
    await store.change_document(document_id, retired=True)
    await store.change_document(document_id, retired=retired)
    assert await marks(pool) == {(live, (), None)}


async def test_a_day_and_labels_reach_the_vectors(store: Store, model: Model, pool: AsyncConnectionPool[Any]) -> None:
    document_id = await put(store, model)
    await store.change_document(document_id, access=("staff",), effective_date=NEXT_YEAR, set_date=True)
    assert await marks(pool) == {(True, ("staff",), NEXT_YEAR)}


async def test_what_a_change_does_not_name_stays(store: Store, model: Model, pool: AsyncConnectionPool[Any]) -> None:
    document_id = await put(store, model, access=("staff",), effective_date=NEXT_YEAR)
    await store.change_document(document_id, retired=True)
    assert await marks(pool) == {(False, ("staff",), NEXT_YEAR)}


async def test_a_day_can_be_taken_away(store: Store, model: Model, pool: AsyncConnectionPool[Any]) -> None:
    document_id = await put(store, model, effective_date=NEXT_YEAR)
    await store.change_document(document_id, effective_date=None, set_date=True)
    assert await marks(pool) == {(True, (), None)}


async def test_a_change_reaches_the_vectors_of_every_model(
    store: Store, model: Model, vectors: VectorStore, pool: AsyncConnectionPool[Any]
) -> None:
    document_id = await put(store, model)
    other = await vectors.add(model_id="other", dimensions=384)
    await vectors.fill(other, await vectors.missing(other, limit=100), axes(0, 1, 2, 3))
    await store.change_document(document_id, retired=True)
    assert await counted(pool, "vectors_1 where live", "vectors_2 where live", "vectors_2") == [0, 0, 4]


async def test_changing_what_is_not_there_says_so(store: Store, model: Model) -> None:
    assert not await store.change_document(uuid4(), retired=True)


async def test_a_retired_document_stays_retired_when_it_is_written_again(
    store: Store, model: Model, pool: AsyncConnectionPool[Any]
) -> None:
    document_id = await put(store, model)
    await store.change_document(document_id, retired=True)
    await put(store, model, content_hash="other")
    assert [each.status for each in await store.list_documents()] == ["retired"]
    assert (await marks(pool), await store.count()) == ({(False, (), None)}, (0, 3))


async def test_a_retired_document_that_failed_and_settled_is_restored_without_an_error(
    store: Store, model: Model
) -> None:
    document_id = await put(store, model)
    await store.change_document(document_id, retired=True)
    await store.fail_document(collection="default", source="/a.md", title="A", error="it is damaged.")
    await store.settle_document(collection="default", source="/a.md")
    await store.change_document(document_id, retired=False)
    (document,) = await store.list_documents()
    assert (document.status, document.error) == ("ready", None)


async def test_a_document_that_was_never_read_is_not_ready_when_it_is_restored(store: Store, model: Model) -> None:
    await store.begin_documents(collection="default", sources=[("/a.md", "A")])
    (document,) = await store.list_documents()
    await store.change_document(document.id, retired=False)
    assert [each.status for each in await store.list_documents()] == ["indexing"]


async def test_labels_that_are_not_named_stay_when_a_document_is_written_again(
    store: Store, model: Model, pool: AsyncConnectionPool[Any]
) -> None:
    await put(store, model, access=("staff",))
    await put(store, model, content_hash="other", access=None)
    assert await marks(pool) == {(True, ("staff",), None)}


async def test_a_day_that_an_operator_gave_stays_when_a_document_is_written_again(
    store: Store, model: Model, pool: AsyncConnectionPool[Any]
) -> None:
    document_id = await put(store, model)
    await store.change_document(document_id, effective_date=NEXT_YEAR, set_date=True)
    await put(store, model, content_hash="other", effective_date=date.today())
    assert await marks(pool) == {(True, (), NEXT_YEAR)}


async def test_a_date_that_an_operator_gives_replaces_one_that_another_gave(store: Store, model: Model):
    document_id = await put(store, model)
    await store.change_document(document_id, effective_date=NEXT_YEAR, set_date=True)
    await put(store, model, content_hash="other", effective_date=date.today(), is_date_given=True)
    document = await store.get_document(document_id)
    assert document is not None
    assert document.effective_date == date.today()


async def test_a_day_that_a_document_gave_itself_goes_when_it_gives_none(
    store: Store, model: Model, pool: AsyncConnectionPool[Any]
) -> None:
    await put(store, model, effective_date=NEXT_YEAR)
    await put(store, model, content_hash="other", effective_date=None)
    assert await marks(pool) == {(True, (), None)}


async def test_every_write_announces_itself(store: Store, model: Model, database_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as listener:
        await listener.execute("listen knowledge_changed")
        document_id = await put(store, model)
        await store.change_document(document_id, retired=True)
        await store.move_document(collection="default", source="/a.md", new_source="/b.md")
        await store.remove_document(document_id)
        announced = [notify.payload async for notify in listener.notifies(timeout=5, stop_after=4)]
    assert announced == ["default"] * 4


async def test_changes_tell_what_answers_and_what_is_gone(store: Store, model: Model) -> None:
    first, second, third = [await put(store, model, source=f"/{name}.md") for name in "abc"]
    await store.change_document(second, retired=True)
    await store.remove_document(first)
    changes = await store.changes(after=0, limit=10)
    assert [(each.id, each.live) for each in changes] == [(third, True), (second, False), (first, False)]


async def test_changes_come_in_parts(store: Store, model: Model) -> None:
    ids = [await put(store, model, source=f"/{name}.md") for name in "abc"]
    first = await store.changes(after=0, limit=2)
    rest = await store.changes(after=first[-1].change, limit=2)
    assert [each.id for each in first + rest] == ids


async def test_whoever_follows_the_changes_misses_none_of_two_writers(
    store: Store, model: Model, pool: AsyncConnectionPool[Any]
) -> None:
    done = asyncio.Event()

    async def write(writer: str, *, pause: float) -> None:
        """Writes documents, and holds each transaction open between its number and its commit."""
        database = Database(pool)
        for number in range(25):
            async with database.writing() as statements:
                await statements.run(
                    "upsert_document",
                    collection="default",
                    source=f"/{writer}{number}.md",
                    origin=None,
                    title="A",
                    content_hash="",
                    text="",
                    page_starts=[],
                    effective_date=None,
                    is_date_given=False,
                    access=None,
                )
                await asyncio.sleep(pause)

    async def follow() -> list[UUID]:
        seen: list[UUID] = []
        after = 0
        while True:
            is_last = done.is_set()
            while changes := await store.changes(after=after, limit=3):
                seen += [each.id for each in changes]
                after = changes[-1].change
            if is_last:
                return seen

    follower = asyncio.create_task(follow())
    await asyncio.gather(write("slow", pause=0.01), write("quick", pause=0))
    done.set()
    seen = await follower
    assert len(seen) == len(set(seen)) == 50
