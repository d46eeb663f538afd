import asyncio
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from server.embedded.errors import EmbeddedServiceError
from server.embedded.postgres import TUNING, EmbeddedPostgres

pytestmark = pytest.mark.integration


async def value(url: str, query: str) -> object:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        row = await (await connection.execute(query.encode())).fetchone()
        return row and row[0]


async def test_what_was_written_is_there_in_the_next_run(data_dir: Path) -> None:
    postgres = EmbeddedPostgres(data_dir)
    async with await psycopg.AsyncConnection.connect(await postgres.start()) as connection:
        await connection.execute("CREATE TABLE kept AS SELECT 'Grüße' AS word")
    await postgres.stop()
    assert await value(await postgres.start(), "SELECT word FROM kept") == "Grüße"
    await postgres.stop()


async def test_vectors_are_at_hand(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir, database="vectors") as url:
        query = "CREATE EXTENSION IF NOT EXISTS vector; SELECT '[1,2]'::vector <-> '[1,4]'::vector"
        async with await psycopg.AsyncConnection.connect(url) as connection:
            cursor = await connection.execute(query)
            cursor.nextset()
            assert await cursor.fetchone() == (2.0,)


async def test_text_search_folds_case_in_every_script(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir) as url:
        found = await value(url, "SELECT to_tsvector('simple', 'ÄRGER')::text")
    assert found == "'ärger':1"


async def test_a_database_name_may_hold_any_character(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir, database='a "b"/c?d') as url:
        assert await value(url, "SELECT current_database()") == 'a "b"/c?d'


@pytest.mark.parametrize("setting", ["shared_buffers", "max_connections", "jit"])
async def test_it_is_tuned_for_a_small_host(data_dir: Path, setting: str) -> None:
    async with EmbeddedPostgres(data_dir) as url:
        assert await value(url, f"SHOW {setting}") == TUNING[setting]


async def test_writes_are_synced_to_disk(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir) as url:
        assert await value(url, "SHOW fsync") == "on"


async def test_a_wrong_password_is_refused(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir) as url:
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            await psycopg.AsyncConnection.connect(url, password="wrong")


@pytest.mark.parametrize("password", [None, "0123456789abcdef"])
async def test_a_lost_or_changed_password_file_is_mended(data_dir: Path, password: str | None) -> None:
    async with EmbeddedPostgres(data_dir):
        pass
    file = data_dir / "postgres" / "password"
    file.unlink() if password is None else file.write_text(password)
    async with EmbeddedPostgres(data_dir) as url:
        assert await value(url, "SELECT 1") == 1


async def test_a_pid_file_that_names_some_other_process_does_not_block(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir):
        pass
    (data_dir / "postgres" / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n")
    async with EmbeddedPostgres(data_dir) as url:
        assert await value(url, "SELECT 1") == 1


async def test_a_cluster_of_another_major_version_is_refused_with_advice(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir):
        pass
    version = data_dir / "postgres" / "data" / "PG_VERSION"
    version.write_text("19\n")
    with pytest.raises(EmbeddedServiceError, match=r"made by Postgres 19.*DATABASE_URL"):
        await EmbeddedPostgres(data_dir).start()
    version.write_text("18\n")


async def test_a_query_that_outlives_its_killed_postmaster_does_not_block(
    data_dir: Path, processes: Callable[[], list[int]]
) -> None:
    postgres = EmbeddedPostgres(data_dir)
    async with postgres as url, await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        busy = asyncio.create_task(connection.execute("SELECT count(*) FROM generate_series(1, 1000000000)"))
        while await value(url, "SELECT count(*) FROM pg_stat_activity WHERE query ~ '^SELECT count.*series'") == 0:
            pass
        os.kill(processes()[0], signal.SIGKILL)
        assert await value(await postgres.start(), "SELECT 1") == 1
        with pytest.raises(psycopg.OperationalError):
            await busy


async def test_an_interrupted_initdb_is_begun_again(data_dir: Path) -> None:
    interrupted = data_dir / "interrupted"
    (interrupted / "postgres" / "data.unfinished").mkdir(parents=True)
    (interrupted / "postgres" / "data.unfinished" / "PG_VERSION").write_text("18\n")
    async with EmbeddedPostgres(interrupted) as url:
        assert await value(url, "SELECT 1") == 1


async def test_a_failed_start_shows_the_end_of_the_log(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir):
        pass
    config = data_dir / "postgres" / "data" / "postgresql.conf"
    shutil.copy2(config, data_dir / "kept.conf")
    config.write_text("no_such_setting = 1\n")
    with pytest.raises(EmbeddedServiceError, match=r"(?s)postgres\.log.*no_such_setting"):
        await EmbeddedPostgres(data_dir).start()
    config.write_text((data_dir / "kept.conf").read_text())
