"""`jarvis index`, with the real database and indexer."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

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


def index(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["index", *arguments])


def test_what_became_of_the_documents_is_counted(tmp_path: Path) -> None:
    (tmp_path / "sauna.md").write_text("# Sauna\n\nThe sauna opens at noon.")
    (tmp_path / "pool.md").write_text("# Pool\n\nThe pool opens at seven.")
    assert "2 added, 0 changed, 0 unchanged" in index(".").stderr
    (tmp_path / "sauna.md").write_text("# Sauna\n\nThe sauna opens at one.")
    (tmp_path / "pool.md").unlink()
    assert "0 added, 1 changed, 0 unchanged, 0 moved, 1 removed, 0 failed" in index(".").stderr
    assert "0 added, 0 changed, 1 unchanged" in index(".").stderr


def test_a_path_that_is_not_there_is_said_and_counted() -> None:
    result = index("[no]/where.md")
    assert result.exit_code == 1
    assert "[no]/where.md" in result.stderr
    assert "1 failed" in result.stderr


def test_a_document_that_cannot_be_read_keeps_no_other_from_it(tmp_path: Path) -> None:
    (tmp_path / "broken.md").write_bytes(b"\x00\xff\x00")
    (tmp_path / "gym.md").write_text("# Gym\n\nOpen day and night.")
    result = index(".")
    assert (result.exit_code, "1 added" in result.stderr, "broken.md" in result.stderr) == (1, True, True)


def test_a_quiet_run_says_nothing_of_success(tmp_path: Path) -> None:
    (tmp_path / "quiet.md").write_text("# Quiet\n\nPlease.")
    assert index("-q", ".").output == ""
