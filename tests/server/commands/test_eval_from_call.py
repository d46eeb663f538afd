"""`jarvis eval from-call`, on a real database."""

import asyncio
from pathlib import Path
from stat import S_IMODE

import pytest
from psycopg_pool import AsyncConnectionPool
from typer.testing import CliRunner, Result

from evals.scenarios.format import read
from knowledge.database import Database, prepare_connection
from server.cli import app
from server.records.store import CallStore
from server.sql import SERVER
from tests.server.records.conftest import SOURCE, a_call, a_turn, keep

pytestmark = pytest.mark.integration

WORKSHOP = SOURCE | {"title": "Workshop"}


@pytest.fixture(autouse=True)
def stored(monkeypatch: pytest.MonkeyPatch, clean_process: None, database_url: str) -> None:
    """A call of two questions, one over documents that nobody has, and one that runs."""
    monkeypatch.setenv("DATABASE_URL", database_url)

    async def store_them() -> None:
        async with AsyncConnectionPool(
            database_url, min_size=1, max_size=2, open=False, configure=prepare_connection
        ) as pool:
            database = Database(pool, package=SERVER)
            await database.migrate()
            async with pool.connection() as connection:
                await connection.execute("truncate calls cascade")
            await keep(
                CallStore(database),
                a_call("abc1"),
                a_call("abd2"),
                a_call("bcd3", ended_at=None, end_reason=None),
                turns=(
                    a_turn("abc1", number=1, role="assistant", text="Hello."),
                    a_turn("abc1", number=2, text="What is a puncture? I am on 555 0187."),
                    a_turn("abc1", number=3, role="assistant", text="18 dollars.", sources=[WORKSHOP]),
                    a_turn("abc1", number=4, text="And a unicycle?"),
                    a_turn("abd2", number=1, text="How long?"),
                    a_turn("abd2", number=2, role="assistant", text="[30] days.", sources=[SOURCE]),
                    a_turn("bcd3", number=1, text="How long?"),
                ),
            )

    asyncio.run(store_them())


def made(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["eval", "from-call", *map(str, arguments)])


def test_a_call_becomes_a_scenario_that_waits_to_be_looked_at(tmp_path: Path):
    done = made("abc", "--turn", "1", "--out", tmp_path / "new")
    file = tmp_path / "new" / "call-abc1-turn-1.yaml"
    assert (done.exit_code, done.stdout) == (0, f"{file}\n")
    assert "1 number or address" in done.stderr
    (scenario,) = read(file).scenarios
    assert [turn.user for turn in scenario.stock.turns] == [None, "What is a puncture? I am on 555 0100."]
    assert scenario.turns[1].x_source == ["Workshop"]
    assert S_IMODE(file.stat().st_mode) == 0o600
    assert CliRunner().invoke(app, ["eval", "lint", str(file)]).exit_code == 0


def test_its_documents_can_be_others(tmp_path: Path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "returns.md").write_text("# Returns\n\nWithin 30 days.\n")
    assert made("abd2", "--turn", "1", "--out", tmp_path / "new", "--knowledge", tmp_path / "docs").exit_code == 0
    (scenario,) = read(tmp_path / "new" / "call-abd2-turn-1.yaml").scenarios
    assert scenario.keys.x_jarvis.knowledge == "../docs"


def test_a_scenario_is_never_written_over(tmp_path: Path):
    (tmp_path / "call-abc1-turn-2.yaml").write_text("mine")
    done = made("abc1", "--turn", "2", "--out", tmp_path)
    assert (done.exit_code, "is there already" in done.stderr) == (1, True)
    assert (tmp_path / "call-abc1-turn-2.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("zzz", "--turn", "1"), "There is no call 'zzz': it never was, it was erased"),
        (("ab", "--turn", "1"), "2 calls begin with 'ab'"),
        (("abc1", "--turn", "3"), "spoke 2 times, so there is no turn 3"),
        (("bcd3", "--turn", "1"), "still runs"),
        (("abd2", "--turn", "1"), "Returns was answered from, and is no document"),
        (("abc1", "--turn", "1", "--knowledge", "nowhere"), "There is no folder nowhere"),
        (("abc1", "--turn", "1", "--out", "/dev/null/new"), "can't be written"),
    ],
)
def test_what_is_not_clear_is_said_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
):
    monkeypatch.chdir(tmp_path)
    done = made(*arguments)
    assert (done.exit_code, said in done.stderr, list(tmp_path.rglob("*.yaml"))) == (1, True, [])
