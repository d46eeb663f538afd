"""A database that does not answer is named by the variable that leads to it, and one that dies comes back."""

import asyncio
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg_pool import PoolTimeout
from pydantic import SecretStr
from redis.exceptions import RedisError

from server import resources
from server.embedded.child import becomes, found
from server.errors import SetupError
from server.resources import Resources, open_database, open_redis, open_resources
from server.settings import Settings

PATIENCE_SECS = 20.0


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of this machine that refuses to be connected to."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "CONNECT_SECS", 0.2)


def settings(tmp_path: Path, *, database_url: str, redis_url: str) -> Settings:
    return Settings(data_dir=tmp_path).model_copy(
        update={"database_url": SecretStr(database_url), "redis_url": SecretStr(redis_url)}
    )


async def test_a_postgres_that_does_not_answer_is_named(tmp_path: Path, closed_port: int, impatient: None):
    url = f"postgresql://jarvis:hunter2@127.0.0.1:{closed_port}/jarvis"
    with pytest.raises(SetupError, match="Check DATABASE_URL") as error:
        async with open_database(settings(tmp_path, database_url=url, redis_url="redis://127.0.0.1")):
            pass
    assert "hunter2" not in str(error.value)


async def test_redis_alone_answers(redis_url: str):
    async with open_redis(redis_url) as redis:
        assert (await redis.time())[0] > 0


async def test_a_redis_alone_that_does_not_answer_is_named(closed_port: int):
    with pytest.raises(SetupError, match="Check REDIS_URL") as error:
        async with open_redis(f"redis://:hunter2@127.0.0.1:{closed_port}"):
            pass
    assert "hunter2" not in str(error.value)


async def test_a_database_url_that_is_none_is_named(tmp_path: Path, impatient: None):
    wrong = settings(tmp_path, database_url="nonsense://x", redis_url="redis://127.0.0.1")
    with pytest.raises(SetupError, match="Check DATABASE_URL"):
        async with open_database(wrong):
            pass


@pytest.mark.integration
async def test_a_redis_that_does_not_answer_is_named(tmp_path: Path, closed_port: int, database_url: str):
    wrong = settings(tmp_path, database_url=database_url, redis_url=f"redis://127.0.0.1:{closed_port}")
    with pytest.raises(SetupError, match="Check REDIS_URL"):
        async with open_resources(wrong):
            pass


@pytest.mark.integration
async def test_a_redis_url_that_is_none_is_named(tmp_path: Path, database_url: str):
    wrong = settings(tmp_path, database_url=database_url, redis_url="nonsense://x")
    with pytest.raises(SetupError, match="Check REDIS_URL"):
        async with open_resources(wrong):
            pass


@pytest.mark.integration
async def test_what_answers_is_opened(tmp_path: Path, database_url: str, redis_url: str):
    right = settings(tmp_path, database_url=database_url, redis_url=redis_url)
    async with open_resources(right) as opened, opened.pool.connection() as connection:
        row = await (await connection.execute("select 1")).fetchone()
        assert await opened.queue_app.connector.execute_query_one_async("select 1 as one") == {"one": 1}
        assert (row, await opened.redis.ping()) == ((1,), True)  # pyright: ignore[reportGeneralTypeIssues]


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Below /tmp, since tmp_path is closed to the account that Postgres runs as."""
    path = Path(tempfile.mkdtemp(prefix="jarvis-resources-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


async def ask_redis(opened: Resources) -> None:
    await opened.redis.ping()  # pyright: ignore[reportGeneralTypeIssues]


async def ask_postgres(opened: Resources) -> None:
    async with opened.pool.connection() as connection:
        await connection.execute("select 1")


async def until_answered(ask: Callable[[Resources], Awaitable[None]], opened: Resources) -> None:
    async with asyncio.timeout(PATIENCE_SECS):
        while True:
            try:
                return await ask(opened)
            except (RedisError, OSError, psycopg.Error, PoolTimeout):
                await asyncio.sleep(0.05)


@pytest.mark.integration
@pytest.mark.parametrize("name", ["redis", "postgres"])
async def test_an_embedded_database_that_is_killed_answers_again_to_whoever_was_connected(data_dir: Path, name: str):
    folder, ask = data_dir / name / "data", {"redis": ask_redis, "postgres": ask_postgres}[name]

    def pids() -> list[int]:
        return found(folders=(folder,), names=frozenset({"postgres", "redis-server", "valkey-server"}))

    async with open_resources(Settings(data_dir=data_dir)) as opened:
        await ask(opened)
        (killed,) = pids()
        os.kill(killed, signal.SIGKILL)
        assert await becomes(lambda: killed not in pids(), within_secs=PATIENCE_SECS)
        await until_answered(ask, opened)
    assert pids() == []
