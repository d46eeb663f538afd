"""`jarvis calls`, on a real database and a real Redis."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from psycopg_pool import AsyncConnectionPool
from redis import Redis
from typer.testing import CliRunner, Result

from knowledge.database import Database, prepare_connection
from server.cli import app
from server.ingress.registry import Registry, SessionRecord
from server.records.store import CallStore
from server.sql import SERVER
from tests.server.records.conftest import NOON, SOURCE, a_call, a_turn, keep

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def environment(
    monkeypatch: pytest.MonkeyPatch, clean_process: None, database_url: str, redis_url: str
) -> Iterator[None]:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    with Redis.from_url(redis_url) as redis:
        redis.flushdb()
        yield
        redis.flushdb()


@pytest.fixture(autouse=True)
def stored(environment: None, database_url: str) -> None:
    """The only calls there are: two of Ada's, and one that runs."""

    async def store_them() -> None:
        async with AsyncConnectionPool(
            database_url, min_size=1, max_size=2, open=False, configure=prepare_connection
        ) as pool:
            await Database(pool).migrate()
            database = Database(pool, package=SERVER)
            await database.migrate()
            async with pool.connection() as connection:
                await connection.execute("truncate calls cascade")
            latencies = {"v2v": 0.712}
            said = a_turn("abc1", number=2, role="assistant", text="[30] days.", sources=[SOURCE], latencies=latencies)
            await keep(
                CallStore(database),
                a_call("abc1"),
                a_call("abd2", minute=1, end_reason="idle"),
                a_call("bcd3", minute=2, caller="B[o]", ended_at=None, end_reason=None),
                turns=(a_turn("abc1", number=1, text="How long?"), said),
            )

    asyncio.run(store_them())


def jarvis(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, ["calls", *arguments], input=typed)


def listed(*arguments: str) -> list[str]:
    return [call["id"] for call in json.loads(jarvis(*arguments, "--json").stdout)["calls"]]


def test_calls_are_listed_newest_first_with_who_called_and_how_it_ended():
    rows = [line for line in jarvis().stdout.splitlines() if line.startswith("│")]
    cells = [[cell.strip() for cell in row.split("│")[1:-1]] for row in rows]
    assert [(cell[0], cell[2], *cell[5:]) for cell in cells] == [
        ("bcd3", "", "", "$0.0123", "runs", "B[o]"),
        ("abd2", "0:59", "", "$0.0123", "idle", "Ada"),
        ("abc1", "0:59", "712 ms", "$0.0123", "hang_up", "Ada"),
    ]


def test_a_callers_calls_are_listed():
    assert (listed("--caller", "Ada"), listed("--limit", "1")) == (["abd2", "abc1"], ["bcd3"])


def test_without_calls_that_is_said():
    assert "No calls are kept" in jarvis("--caller", "nobody").stderr


def test_a_call_is_shown_with_its_words_and_its_sources():
    out = jarvis("show", "abc").stdout
    assert "caller: How long?" in out
    assert "Jarvis (after 0.71 s): [30] days." in out
    assert "[Returns > Returns > Time] “Within 30 days.”" in out
    assert "metadata    shop=north" in out


def test_json_holds_all_of_a_call():
    shown: dict[str, Any] = json.loads(jarvis("show", "abc", "--json").stdout)
    assert (shown["call"]["id"], [turn["number"] for turn in shown["turns"]]) == ("abc1", [1, 2])


def test_a_call_is_erased_once_that_is_confirmed():
    assert jarvis("erase", "abc", typed="n\n").exit_code == 1
    assert listed("--caller", "Ada") == ["abd2", "abc1"]
    assert jarvis("erase", "abc", typed="y\n").stdout.endswith("erased: 1 call\n")
    assert listed("--caller", "Ada") == ["abd2"]


def test_a_caller_is_erased_without_a_question_where_that_is_said():
    assert jarvis("erase", "--caller", "Ada", "--yes").stdout == "erased: 2 calls\n"
    assert listed() == ["bcd3"]


def test_how_many_calls_are_to_be_erased_is_said_before():
    assert "Erase 2 calls of this caller?" in jarvis("erase", "--caller", "Ada", typed="n\n").stderr


def test_a_call_that_runs_is_not_erased(redis_url: str):
    async def runs() -> None:
        from redis.asyncio import Redis as AsyncRedis

        async with AsyncRedis.from_url(redis_url, decode_responses=True) as redis:
            await Registry(redis=redis).save([SessionRecord(id="bcd3", state="connected", created_at=NOON, server="s")])

    asyncio.run(runs())
    result = jarvis("erase", "bcd", "--yes")
    assert (result.exit_code, "bcd3 still runs" in result.stderr) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "zzz"), "There is no call 'zzz'"),
        (("show", "ab"), "2 calls begin with 'ab'"),
        (("erase", "zzz", "--yes"), "There is no call 'zzz'"),
        (("erase", "--yes"), "Say what to erase"),
        (("erase", "abc", "--caller", "Ada"), "Say what to erase"),
    ],
)
def test_what_is_not_clear_is_said(arguments: tuple[str, ...], said: str):
    result = jarvis(*arguments)
    assert (result.exit_code, said in result.stderr) == (1, True)
