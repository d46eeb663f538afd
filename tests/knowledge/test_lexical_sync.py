from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool

from knowledge import lexical_sync
from knowledge.database import Database
from knowledge.jobs import IndexRequest, Upload
from knowledge.lexical import LexicalReader, read_state
from knowledge.lexical_sync import LexicalSync
from knowledge.store import Store
from tests.knowledge.conftest import Index

pytestmark = pytest.mark.integration


@pytest.fixture
def sync(database: Database, lexical_dir: Path) -> LexicalSync:
    lexical_dir.mkdir()
    return LexicalSync(database=database, folder=lexical_dir)


async def uploaded(index: Index, *names: str, collection: str = "default") -> None:
    uploads = tuple(Upload(f"{name}.md", f"# {name}\n\nThe word {name}.".encode()) for name in names)
    await index(IndexRequest(collection=collection, uploads=uploads))


def found(lexical_dir: Path, word: str, *, collection: str = "default", access: tuple[str, ...] = ()) -> int:
    reader = LexicalReader(lexical_dir, collection=collection)
    return len(reader.search("words", [(1.0, [word])], access=access, today=date.today(), limit=1000))


async def test_what_was_indexed_is_found_by_its_words(sync: LexicalSync, index: Index, lexical_dir: Path) -> None:
    await uploaded(index, "pool", "sauna")
    assert await sync.catch_up() == {"default"}
    assert (found(lexical_dir, "pool"), found(lexical_dir, "sauna"), found(lexical_dir, "gym")) == (1, 1, 0)


async def test_nothing_new_is_nothing_to_do(sync: LexicalSync, index: Index) -> None:
    await uploaded(index, "pool")
    await sync.catch_up()
    assert await sync.catch_up() == set()


async def test_many_documents_are_taken_in_batch_by_batch(
    sync: LexicalSync, index: Index, lexical_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lexical_sync, "BATCH_DOCUMENTS", 3)
    await uploaded(index, *(f"room{number}" for number in range(10)))
    await sync.catch_up()
    assert [found(lexical_dir, f"room{number}") for number in range(10)] == [1] * 10


async def test_a_changed_document_is_found_by_its_new_words_only(
    sync: LexicalSync, index: Index, lexical_dir: Path
) -> None:
    await index(IndexRequest(uploads=(Upload("a.md", b"The old pool."),)))
    await sync.catch_up()
    await index(IndexRequest(uploads=(Upload("a.md", b"The new sauna."),)))
    await sync.catch_up()
    assert (found(lexical_dir, "pool"), found(lexical_dir, "sauna")) == (0, 1)


async def test_removed_and_retired_documents_are_found_no_more(
    sync: LexicalSync, index: Index, lexical_dir: Path, store: Store
) -> None:
    await uploaded(index, "pool", "sauna", "gym")
    await sync.catch_up()
    by_title = {each.title: each.id for each in await store.list_documents()}
    await store.remove_document(by_title["pool"])
    await store.change_document(by_title["sauna"], retired=True)
    await sync.catch_up()
    assert [found(lexical_dir, word) for word in ("pool", "sauna", "gym")] == [0, 0, 1]


async def test_a_restored_document_is_found_again(
    sync: LexicalSync, index: Index, lexical_dir: Path, store: Store
) -> None:
    await uploaded(index, "pool")
    (document,) = await store.list_documents()
    for retired in (True, False):
        await store.change_document(document.id, retired=retired)
        await sync.catch_up()
    assert found(lexical_dir, "pool") == 1


async def test_labels_reach_the_index(sync: LexicalSync, index: Index, lexical_dir: Path, store: Store) -> None:
    await uploaded(index, "pool")
    (document,) = await store.list_documents()
    await store.change_document(document.id, access=("staff",))
    await sync.catch_up()
    assert (found(lexical_dir, "pool"), found(lexical_dir, "pool", access=("staff",))) == (0, 1)


async def test_each_collection_has_its_own_index(
    sync: LexicalSync, index: Index, lexical_dir: Path, store: Store
) -> None:
    await store.make_collection("other")
    await uploaded(index, "pool")
    await uploaded(index, "sauna", collection="other")
    assert await sync.catch_up() == {"default", "other"}
    assert (found(lexical_dir, "sauna"), found(lexical_dir, "sauna", collection="other")) == (0, 1)


async def test_an_index_of_another_database_is_made_anew(
    sync: LexicalSync, index: Index, lexical_dir: Path, pool: AsyncConnectionPool[Any], store: Store
) -> None:
    await uploaded(index, "pool")
    await sync.catch_up()
    (document,) = await store.list_documents()
    async with pool.connection() as connection:
        await connection.execute("delete from documents where id = %s", [document.id])
        await connection.execute("update knowledge_meta set value = 'other' where key = 'database'")
    await uploaded(index, "sauna")
    await sync.catch_up()
    assert (found(lexical_dir, "pool"), found(lexical_dir, "sauna")) == (0, 1)


@pytest.mark.parametrize("state", [None, "", "{", '{"format": 0, "database": "x", "change": 99}'])
async def test_an_index_that_nobody_can_tell_the_state_of_is_made_anew(
    sync: LexicalSync, index: Index, lexical_dir: Path, state: str | None
) -> None:
    await uploaded(index, "pool")
    await sync.catch_up()
    if state is None:
        (lexical_dir / "state.json").unlink()
    else:
        (lexical_dir / "state.json").write_text(state)
    await sync.catch_up()
    assert found(lexical_dir, "pool") == 1


async def test_changes_that_were_taken_in_but_not_noted_are_taken_in_once(
    sync: LexicalSync, index: Index, lexical_dir: Path
) -> None:
    before = lexical_dir / "state.json.before"
    await uploaded(index, "pool")
    await sync.catch_up()
    before.write_bytes((lexical_dir / "state.json").read_bytes())
    await uploaded(index, "sauna")
    await sync.catch_up()
    before.replace(lexical_dir / "state.json")
    await sync.catch_up()
    assert (found(lexical_dir, "sauna"), LexicalReader(lexical_dir, collection="default").windows) == (1, 2)


async def test_the_state_names_the_last_change(
    sync: LexicalSync, index: Index, lexical_dir: Path, store: Store
) -> None:
    await uploaded(index, "pool", "sauna")
    await sync.catch_up()
    state = read_state(lexical_dir)
    assert state is not None
    assert (state.database, state.change) == (
        await store.database_id(),
        (await store.changes(after=0, limit=10))[-1].change,
    )


async def test_what_can_be_found_now_is_announced(sync: LexicalSync, index: Index, database_url: str) -> None:
    await uploaded(index, "pool")
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as listener:
        await listener.execute("listen knowledge_searchable")
        await sync.catch_up()
        announced = [notify.payload async for notify in listener.notifies(timeout=5, stop_after=1)]
    assert announced == ["default"]


async def test_only_one_holds_the_lock(database: Database, sync: LexicalSync, lexical_dir: Path) -> None:
    other = LexicalSync(database=database, folder=lexical_dir)
    with sync.lock() as ours, other.lock() as theirs:
        assert (ours, theirs) == (True, False)
    with other.lock() as theirs:
        assert theirs
