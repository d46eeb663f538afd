"""`jarvis eval lint` and `jarvis eval run`."""

import asyncio
import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from evals.scenarios import run as held_by
from server.cli import app
from tests.evals.scenarios.given import written

GOOD = """\
name: tried
x_jarvis: {version: 1, knowledge: documents}
scenarios:
  - name: one
    turns: [{user: Hello., expect: [{event: response}]}]
"""


def jarvis(*arguments: str | Path):
    return CliRunner().invoke(app, ["eval", *map(str, arguments)])


def record(status: str, **more: Any) -> dict[str, Any]:
    return {
        "scenario_name": "tried/one", "duration_ms": 9, "skipped": None, "x_tier": "text", "x_run": 1,
        "x_status": status, "x_providers": "embedded", "x_file": "tried.yaml", "x_failures": [], **more,
    }  # fmt: skip


@pytest.fixture
def outcomes(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, Any] | Exception | KeyboardInterrupt]:
    """What a suite comes to instead of being held."""
    found: list[Any] = []

    async def hold_suite(_suite: Any, results: Any, *, on_record: Any, **_: Any) -> None:
        for each in found:
            if isinstance(each, BaseException):
                raise each
            results.add(each)
            on_record(each)

    monkeypatch.setattr(held_by, "hold_suite", hold_suite)
    return found


def test_a_good_file_is_not_complained_of(tmp_path: Path):
    done = jarvis("lint", written(tmp_path, GOOD))
    assert (done.exit_code, done.stdout) == (0, "")
    assert "1 scenarios in 1 files, 0 complaints" in done.stderr


def test_a_typo_is_told_by_file_and_line(tmp_path: Path):
    file = written(tmp_path, GOOD.replace("event: response", "event: respnse"))
    done = jarvis("lint", file)
    assert done.exit_code == 1
    assert done.stdout == f"{file}:5: there is no event 'respnse'; is it 'response'?\n"


@pytest.mark.parametrize(
    ("statuses", "code"),
    [(["passed", "pending"], 0), (["passed", "failed"], 1), (["failed", "error"], 2), (["passed", "invalid"], 2)],
)
def test_the_exit_code_says_what_it_came_to(tmp_path: Path, outcomes: list[Any], statuses: list[str], code: int):
    outcomes += [record(each) for each in statuses]
    done = jarvis("run", written(tmp_path, GOOD), "--out", tmp_path / "out")
    assert done.exit_code == code
    assert "providers: embedded" in done.stderr
    lines = (tmp_path / "out" / "results.jsonl").read_text().splitlines()
    assert [json.loads(each)["x_status"] for each in lines[1:-1]] == statuses
    assert "x_summary" in json.loads(lines[-1])
    assert (tmp_path / "out" / "junit.xml").is_file()


def test_what_failed_is_told_by_file_and_line(tmp_path: Path, outcomes: list[Any]):
    failure = {"turn": 1, "check": "x_says", "reason": "[it] was not said", "file": "tried.yaml", "line": 7}
    outcomes.append(record("failed", x_failures=[failure]))
    done = jarvis("run", written(tmp_path, GOOD), "--out", tmp_path / "out")
    assert "tried.yaml:7: turn 1, x_says: [it] was not said" in done.stderr


def test_a_suite_that_is_cut_off_keeps_what_it_has(tmp_path: Path, outcomes: list[Any]):
    outcomes += [record("passed"), KeyboardInterrupt()]
    done = jarvis("run", written(tmp_path, GOOD), "--out", tmp_path / "out")
    assert done.exit_code == 130
    assert len((tmp_path / "out" / "results.jsonl").read_text().splitlines()) == 3
    assert b"tried" in (tmp_path / "out" / "junit.xml").read_bytes()


def test_a_suite_that_is_told_to_end_keeps_what_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    stopped: list[str] = []

    async def hold_suite(_suite: Any, results: Any, **_: Any) -> None:
        results.add(record("passed"))
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(60)
        finally:
            stopped.append("the server")

    monkeypatch.setattr(held_by, "hold_suite", hold_suite)
    done = jarvis("run", written(tmp_path, GOOD), "--out", tmp_path / "out")
    assert (done.exit_code, stopped) == (130, ["the server"])
    with (tmp_path / "out" / "results.jsonl").open("a") as results:
        results.write('{"scenario_name": "tried/two", "x_st')
    page = jarvis("report", tmp_path / "out")
    assert page.exit_code == 0
    assert "results.jsonl:4 was cut off" in page.stderr


def test_results_that_cant_be_kept_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async def hold_suite(_suite: Any, results: Any, **_: Any) -> None:
        (results.folder / "results.jsonl").unlink()
        (results.folder / "results.jsonl").symlink_to("/dev/full")
        results.add(record("passed"))

    monkeypatch.setattr(held_by, "hold_suite", hold_suite)
    done = jarvis("run", written(tmp_path, GOOD), "--out", tmp_path / "out")
    assert (done.exit_code, "No space left on device" in done.stderr) == (2, True)


def test_results_are_not_written_over(tmp_path: Path, outcomes: list[Any]):
    for code in (0, 2):
        assert jarvis("run", written(tmp_path, GOOD), "--out", tmp_path / "out").exit_code == code


@pytest.mark.parametrize("nobodys", ["two", "one:fax"])
def test_there_is_nothing_to_hold_under_a_name_that_nobody_has(tmp_path: Path, nobodys: str):
    told = jarvis("run", written(tmp_path, GOOD), "--only", "o*", "--only", nobodys, "--out", tmp_path / "out")
    assert (told.exit_code, f"There is no scenario {nobodys}" in told.output) == (2, True)


def test_there_is_no_telephone_yet(tmp_path: Path):
    done = jarvis("run", written(tmp_path, GOOD), "--tier", "sip")
    assert done.exit_code == 2
    assert "no telephone yet" in done.stderr


def test_an_unknown_tier_is_refused(tmp_path: Path):
    done = jarvis("run", written(tmp_path, GOOD), "--tier", "fax")
    assert done.exit_code == 2
    assert "There is no tier fax" in done.stderr
