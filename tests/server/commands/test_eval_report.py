"""`jarvis eval report`, `jarvis eval compare`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from server.cli import app
from tests.evals.report.sample import run, write


def jarvis(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["eval", *map(str, arguments)])


def written(folder: Path, status: str, **fields: str) -> Path:
    return write(folder / "results.jsonl", *(run(run=n, status=status, **fields) for n in range(5)))


def test_the_page_lies_beside_the_results_and_is_named(tmp_path: Path):
    written(tmp_path, "passed")
    shown = jarvis("report", tmp_path)
    assert (shown.exit_code, shown.stdout) == (0, f"{tmp_path / 'report.html'}\n")
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")


def test_the_page_can_lie_elsewhere(tmp_path: Path):
    assert jarvis("report", written(tmp_path, "failed"), "--out", tmp_path / "page.html").exit_code == 0
    assert (tmp_path / "page.html").is_file()


def test_what_could_not_be_read_is_told(tmp_path: Path):
    path = write(tmp_path / "results.jsonl", run(), rest=b'{"scen')
    assert f"{path}:3 was cut off" in jarvis("report", path).stderr


@pytest.mark.parametrize("arguments", [("report", "none.jsonl"), ("compare", "none.jsonl", "none.jsonl")])
def test_without_results_it_says_where_they_come_from(arguments: tuple[str, ...]):
    shown = jarvis(*arguments)
    assert shown.exit_code == 2
    assert "jarvis eval run" in shown.stderr


@pytest.mark.parametrize(("before", "after", "code"), [("passed", "failed", 1), ("failed", "passed", 0)])
def test_the_exit_code_says_whether_something_got_worse(tmp_path: Path, before: str, after: str, code: int):
    shown = jarvis("compare", written(tmp_path / "a", before), written(tmp_path / "b", after))
    assert shown.exit_code == code
    assert "5 of 5" in shown.stdout


def test_a_comparison_can_be_json(tmp_path: Path):
    shown = jarvis("compare", written(tmp_path / "a", "passed"), written(tmp_path / "b", "failed"), "--json")
    assert (shown.exit_code, json.loads(shown.stdout)["got_worse"]) == (1, True)


def test_different_providers_are_not_compared(tmp_path: Path):
    shown = jarvis("compare", written(tmp_path / "a", "passed"), written(tmp_path / "b", "passed", providers="live"))
    assert shown.exit_code == 2
    assert "not compared" in shown.stderr
