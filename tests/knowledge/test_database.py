import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import AsyncConnectionPool

from knowledge.database import Database
from knowledge.errors import KnowledgeUnavailableError, SchemaError
from knowledge.store import Store

pytestmark = pytest.mark.integration


async def add_item(database: Database, ordinals: list[int]) -> None:
    async with database.transaction() as statements:
        (job,) = await statements.run("add_job", collection="default", request="{}")
        rows = [
            {"job_id": job["id"], "ordinal": ordinal, "kind": "file", "source": "a", "details": "{}", "content": None}
            for ordinal in ordinals
        ]
        await statements.run_many("add_item", rows)


async def test_migrating_twice_changes_nothing(database: Database, store: Store) -> None:
    await database.migrate()
    assert list(await store.collections()) == ["default"]


async def test_two_may_migrate_at_once(database: Database, pool: AsyncConnectionPool[Any]) -> None:
    await asyncio.gather(*(Database(pool).migrate() for _ in range(4)))


async def test_tables_of_a_newer_version_are_left_alone(database: Database, pool: AsyncConnectionPool[Any]) -> None:
    async with pool.connection() as connection:
        await connection.execute("insert into migrations (package, name) values ('knowledge.sql', '9999_later')")
    try:
        with pytest.raises(SchemaError, match="a newer version of Jarvis"):
            await database.migrate()
    finally:
        async with pool.connection() as connection:
            await connection.execute("delete from migrations where name = '9999_later'")


async def test_a_database_that_refuses_the_tables_is_said_plainly(database: Database, database_url: str) -> None:
    async with AsyncConnectionPool(
        database_url, min_size=0, max_size=1, open=False, kwargs={"options": "-c default_transaction_read_only=on"}
    ) as pool:
        with pytest.raises(SchemaError, match="the right to create"):
            await Database(pool).migrate()


async def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation):
        await add_item(database, [0, 0])
    assert await database.read("unfinished_jobs") == []


async def test_ids_come_in_the_order_of_the_rows(database: Database, store: Store) -> None:
    async with database.writing() as statements:
        (row,) = await statements.run(
            "upsert_document",
            collection="default",
            source="a",
            origin=None,
            title="A",
            content_hash="",
            text="",
            page_starts=[],
            effective_date=None,
            is_date_given=False,
            access=None,
        )
        chunk = {"document_id": row["id"], "heading_path": [], "text": "a", "start": 0, "end": 1, "page": None}
        ids = await statements.insert_many("insert_chunk", [chunk | {"ordinal": number} for number in range(500)])
    assert ids == sorted(ids)
    assert len(set(ids)) == 500


async def test_inserting_nothing_gives_no_ids(database: Database) -> None:
    async with database.writing() as statements:
        assert await statements.insert_many("insert_chunk", []) == []


async def test_writers_take_turns(database: Database, pool: AsyncConnectionPool[Any]) -> None:
    async with database.writing():
        with pytest.raises(KnowledgeUnavailableError):
            async with Database(pool).writing(timeout_secs=0.2):
                pytest.fail("two wrote at once")


async def test_a_reader_does_not_wait_for_a_writer(database: Database) -> None:
    async with database.writing():
        assert await database.read("unfinished_jobs", timeout_secs=2) == []


async def test_a_writer_that_was_cancelled_lets_the_next_one_in(database: Database) -> None:
    inside = asyncio.Event()

    async def write() -> None:
        async with database.writing():
            inside.set()
            await asyncio.Event().wait()

    writer = asyncio.create_task(write())
    await inside.wait()
    writer.cancel()
    async with database.writing(timeout_secs=5):
        pass


async def test_a_connection_that_was_cut_is_said_plainly(database: Database, pool: AsyncConnectionPool[Any]) -> None:
    async def write() -> None:
        async with database.transaction() as statements, pool.connection() as other:
            await other.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where pid <> pg_backend_pid() and datname = current_database() and state = 'idle in transaction'"
            )
            await statements.run("unfinished_jobs")

    with pytest.raises(KnowledgeUnavailableError, match="check that Postgres runs"):
        await write()


async def test_a_database_that_is_not_there_is_said_plainly() -> None:
    pool = AsyncConnectionPool(
        "postgresql://127.0.0.1:1/x?connect_timeout=1", min_size=0, max_size=1, timeout=0.2, open=False
    )
    async with pool:
        with pytest.raises(KnowledgeUnavailableError, match="check that Postgres runs"):
            await Database(pool).read("unfinished_jobs")


@asynccontextmanager
async def freezing(database_url: str) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """The URL of the same database, of which nothing is heard any more once the event is set; it takes connections."""
    known, frozen, pumps = conninfo_to_dict(database_url), asyncio.Event(), set[asyncio.Task[None]]()

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65_536):
                if frozen.is_set():
                    await asyncio.Event().wait()
                sink.write(data)
        finally:
            # A transaction that is left open would keep its locks.
            sink.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_server = await asyncio.open_connection(str(known["host"]), str(known["port"]))
        pumps.update(map(asyncio.create_task, (pump(reader, to_server[1]), pump(to_server[0], writer))))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    try:
        yield make_conninfo(database_url, host=address[0], port=address[1]), frozen
    finally:
        server.close()
        for each in pumps:
            each.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


@pytest.mark.parametrize("begun", [False, True])
async def test_the_limit_holds_where_the_connection_hangs(database_url: str, begun: bool) -> None:
    async def read(database: Database, frozen: asyncio.Event) -> None:
        async with database.transaction(timeout_secs=0.2) as statements:
            if begun:
                await statements.run("unfinished_jobs")
            frozen.set()
            await statements.run("unfinished_jobs")

    async with freezing(database_url) as (url, frozen):
        pool = AsyncConnectionPool[Any](url, min_size=1, max_size=1, open=False)
        await pool.open(wait=True)
        began = time.monotonic()
        with pytest.raises(KnowledgeUnavailableError):
            await read(Database(pool), frozen)
        took_secs = time.monotonic() - began
        await pool.close(timeout=0.0)
    assert took_secs < 2.0


@pytest.mark.parametrize(
    ("setting", "value"), [("hnsw.iterative_scan", "strict_order"), ("hnsw.ef_search", "100"), ("jit", "off")]
)
async def test_a_pooled_connection_is_set_up_for_searches(
    database: Database, pool: AsyncConnectionPool[Any], setting: str, value: str
) -> None:
    async with pool.connection() as connection:
        row = await (await connection.execute("select current_setting(%s)", [setting])).fetchone()
    assert row == (value,)
