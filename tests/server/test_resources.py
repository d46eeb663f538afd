"""A database that does not answer is named by the variable that leads to it."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from server import resources
from server.errors import SetupError
from server.resources import open_database, open_resources
from server.settings import Settings


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
