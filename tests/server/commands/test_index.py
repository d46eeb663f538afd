"""`jarvis index` and `jarvis search`, on a real database."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from knowledge.embedders.minilm_build import build
from server.cli import app

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the built model."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "models").mkdir()
    build(folder / "models")
    return folder


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, clean_process: None, data_dir: Path, database_url: str) -> None:
    monkeypatch.setenv("JARVIS_DATA_DIR", str(data_dir))
    monkeypatch.setenv("DATABASE_URL", database_url)


def jarvis(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_what_is_indexed_is_found(tmp_path: Path):
    (tmp_path / "sauna.md").write_text("# Sauna [old]\n\nThe [hot] sauna opens at noon.")
    assert "1 added" in jarvis("index", ".").stderr
    answer = json.loads(jarvis("search", "When does the sauna open?", "-n", "1", "--json").stdout)
    assert answer["passages"][0]["text"] == "The [hot] sauna opens at noon."
    assert "[hot]" in jarvis("search", "When does the sauna open?").stdout


def test_a_path_that_is_not_there_is_said_and_counted():
    result = jarvis("index", "[no]/where.md")
    assert result.exit_code == 1
    assert "[no]/where.md" in result.stderr
    assert "1 failed" in result.stderr


def test_a_quiet_run_says_nothing_of_success(tmp_path: Path):
    (tmp_path / "quiet.md").write_text("# Quiet\n\nPlease.")
    assert jarvis("index", "-q", ".").output == ""
