"""What is left when a server was killed is cleared up, and nothing that anybody needs."""

import asyncio
import fcntl
from collections.abc import Callable
from pathlib import Path

import pytest

from server.embedded.child import becomes
from server.embedded.leave import leave_command
from server.embedded.postgres import EmbeddedPostgres
from server.embedded.redis import EmbeddedRedis

pytestmark = pytest.mark.integration

SECS = 60


async def left(data_dir: Path) -> int:
    """Run the command to its end."""
    program = await asyncio.create_subprocess_exec(*leave_command(data_dir), cwd=Path(__file__).parents[3])
    return await asyncio.wait_for(program.wait(), SECS)


async def test_databases_that_nobody_uses_are_stopped(data_dir: Path, processes: Callable[[], list[int]]) -> None:
    for service in (EmbeddedPostgres(data_dir), EmbeddedRedis(data_dir)):
        await service.start()
        service._users.release()
    assert len(processes()) == 2
    assert await left(data_dir) == 0
    assert await becomes(lambda: processes() == [], within_secs=5)


async def test_databases_in_use_are_left_alone(data_dir: Path, processes: Callable[[], list[int]]) -> None:
    async with EmbeddedPostgres(data_dir), EmbeddedRedis(data_dir):
        before = processes()
        assert await left(data_dir) == 0
        assert processes() == before


async def test_whoever_shows_that_it_needs_postgres_keeps_it_when_its_last_program_ends(
    data_dir: Path, processes: Callable[[], list[int]]
) -> None:
    postgres = EmbeddedPostgres(data_dir)
    await postgres.start()
    with postgres.users_lock.open("rb") as needed:
        fcntl.flock(needed, fcntl.LOCK_SH)
        await postgres.stop()
        assert await left(data_dir) == 0
        assert len(processes()) == 1
    assert await left(data_dir) == 0
    assert await becomes(lambda: processes() == [], within_secs=5)


async def test_a_program_that_starts_while_the_databases_are_stopped_gets_them(
    data_dir: Path, processes: Callable[[], list[int]]
) -> None:
    for _ in range(3):
        postgres = EmbeddedPostgres(data_dir)
        await postgres.start()
        postgres._users.release()
        program = await asyncio.create_subprocess_exec(*leave_command(data_dir), cwd=Path(__file__).parents[3])
        async with postgres:
            assert await asyncio.wait_for(program.wait(), SECS) == 0
            assert await postgres._answers(
                port=postgres._known_port() or 0, password=postgres._folder.read("password") or ""
            )


async def test_where_nothing_ever_ran_there_is_nothing_to_do(tmp_path: Path) -> None:
    assert await left(tmp_path / "never") == 0
    assert not (tmp_path / "never").exists()
