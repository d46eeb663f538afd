"""`jarvis personas`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from server.cli import app


def jarvis(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["personas", *arguments])


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("JARVIS_PERSONAS", str(tmp_path))
    return tmp_path


def test_everybody_who_may_answer_is_listed(folder: Path):
    (folder / "shop.toml").write_text('name = "Ada"')
    told = json.loads(jarvis("--json").stdout)["personas"]
    assert [(each["id"], each["name"]) for each in told] == [("default", "Jarvis"), ("shop", "Ada")]
    assert "Ada" in jarvis().stdout


def test_a_wrong_file_is_told_and_nothing_listed(folder: Path):
    (folder / "shop.toml").write_text('nane = "Ada"')
    result = jarvis()
    assert (result.exit_code, result.stdout) == (1, "")
    assert "shop.toml: nane: there is no such key" in result.output
