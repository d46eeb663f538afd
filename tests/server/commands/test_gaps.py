"""`jarvis gaps`, on a real database and with the real indexer."""

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg_pool import AsyncConnectionPool
from typer.testing import CliRunner, Result

from knowledge.database import Database, prepare_connection
from knowledge.gaps import GapPassage, GapStore
from knowledge.store import Store
from server.cli import app

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory, models_dir: Path) -> Path:
    """A data directory with the built model."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "models").symlink_to(models_dir)
    return folder


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, clean_process: None, data_dir: Path, database_url: str) -> None:
    monkeypatch.setenv("JARVIS_DATA_DIR", str(data_dir))
    monkeypatch.setenv("DATABASE_URL", database_url)


@pytest.fixture(autouse=True)
def gap_id(environment: None, database_url: str) -> str:
    """The id of the only gap there is, which was asked twice."""

    async def record() -> UUID:
        async with AsyncConnectionPool(
            database_url, min_size=1, max_size=2, open=False, configure=prepare_connection
        ) as pool:
            database = Database(pool)
            await database.migrate()
            async with pool.connection() as connection:
                await connection.execute("truncate documents, gaps, index_jobs, embedding_models, collections cascade")
            await Store(database).make_collection("default")
            passage = GapPassage(str(uuid4()), "House [rules]", "rules.md", 0, 9, 0.4)
            gaps = GapStore(database)
            await gaps.record("may i bring my [dog]", [passage], collection="default", vector=None)
            return await gaps.record("May I bring my [dog]", [passage], collection="default", vector=None)

    return str(asyncio.run(record()))


def jarvis(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["gaps", *arguments])


def listed(*arguments: str) -> list[dict[str, Any]]:
    return json.loads(jarvis(*arguments, "--json").stdout)["gaps"]


def test_gaps_are_listed_with_what_was_nearest(gap_id: str):
    (row,) = [line for line in jarvis().stdout.splitlines() if gap_id[:8] in line]
    assert [cell.strip() for cell in row.split("│")[2:4]] == ["may i bring my [dog]", "2"]
    assert "House [rules]" in row


def test_json_holds_all_of_it(gap_id: str):
    (gap,) = listed()
    assert (gap["id"], gap["count"], gap["state"], gap["document_id"]) == (gap_id, 2, "open", None)


def test_a_closed_gap_is_listed_only_with_all(gap_id: str):
    assert jarvis("close", gap_id[:8]).stdout == f"closed: may i bring my [dog] ({gap_id[:8]})\n"
    assert "every question was answered" in jarvis().stderr
    assert [each["state"] for each in listed("--all")] == ["closed"]


def test_an_answer_is_indexed_and_closes_the_gap(gap_id: str, tmp_path: Path):
    (tmp_path / "answer.md").write_text("Dogs are welcome.", encoding="utf-8")
    result = jarvis("answer", gap_id[:8], "--file", "answer.md", "--title", "Dogs")
    assert (result.exit_code, result.stdout) == (0, f"answered: may i bring my [dog] ({gap_id[:8]})\n")
    (gap,) = listed("--all")
    shown = CliRunner().invoke(app, ["documents", "show", gap["document_id"], "--text"]).stdout
    assert "title          Dogs\n" in shown
    assert "Dogs are welcome." in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("close", "zzz"), "There is no gap 'zzz'"),
        (("answer", "zzz", "Yes."), "There is no gap 'zzz'"),
        (("answer", "zzz"), "TEXT or with --file"),
        (("answer", "zzz", " "), "The answer is empty"),
        (("--collection", "gym"), "There is no collection 'gym'"),
    ],
)
def test_what_is_not_there_is_said(arguments: tuple[str, ...], said: str):
    result = jarvis(*arguments)
    assert (result.exit_code, said in result.stderr) == (1, True)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path):
    (tmp_path / "answer.bin").write_bytes(b"\xff\xfe\x00")
    result = jarvis("answer", "zzz", "--file", "answer.bin")
    assert (result.exit_code, "can't be read as text" in result.stderr) == (1, True)
