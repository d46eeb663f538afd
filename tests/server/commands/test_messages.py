"""`jarvis messages`, on a real database."""

import asyncio
import json

import pytest
from psycopg_pool import AsyncConnectionPool
from typer.testing import CliRunner, Result

from knowledge.database import Database, prepare_connection
from server.cli import app
from server.records.store import CallStore
from server.sql import SERVER
from tests.server.records.conftest import NOON, a_call, a_message, keep

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, clean_process: None, database_url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)


def messages(database_url: str, *arguments: str, left: int = 1) -> Result:
    async def store_them() -> None:
        async with AsyncConnectionPool(
            database_url, min_size=1, max_size=2, open=False, configure=prepare_connection
        ) as pool:
            database = Database(pool, package=SERVER)
            await database.migrate()
            async with pool.connection() as connection:
                await connection.execute("truncate calls cascade")
            await keep(CallStore(database), a_call("abc1"), turns=[a_message("abc1", number=n) for n in range(left)])

    asyncio.run(store_them())
    return CliRunner().invoke(app, ["messages", *arguments])


def test_messages_are_listed_with_who_left_them(database_url: str):
    result = messages(database_url)
    assert result.exit_code == 0
    for words in ("Ada", "555", "call me", "abc1"):
        assert words in result.stdout


def test_messages_come_as_json(database_url: str):
    (told,) = json.loads(messages(database_url, "--json").stdout)["messages"]
    assert told == {
        "call_id": "abc1", "name": "Ada [L]", "contact": "555 0187", "text": "Please call me.",
        "left_at": NOON.isoformat(),
    }  # fmt: skip


def test_where_there_are_none_it_says_so(database_url: str):
    result = messages(database_url, left=0)
    assert (result.exit_code, "No messages were left." in result.stderr) == (0, True)
