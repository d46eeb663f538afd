"""`jarvis eval mutants`."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from evals.mutants import run as held_by
from evals.mutants.defects import MUTANTS
from evals.mutants.errors import MutantError
from evals.mutants.run import Seen, Verdict
from server.cli import app

CAUGHT = Seen("unanswerable/scooters", "text", "passed", "failed", ("x_refuses",), "x_refuses")
MISSED = Seen("unanswerable/strollers", "text", "passed", "failed", ("response",))
UNHELD = Seen("unanswerable/accountant", "text", "failed", None)


def jarvis(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["eval", "mutants", *map(str, arguments)])


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the scenarios make of each mutant instead of being held."""
    found: list[Any] = []

    async def hold_mutants(mutants: Any, folder: Path, *, on_record: Any, on_verdict: Any, **_: Any) -> None:
        folder.mkdir(exist_ok=True)
        on_record("whole", {"scenario_name": "unanswerable/scooters"})
        for mutant in mutants:
            on_verdict(Verdict(mutant, tuple(each for each in found if isinstance(each, Seen))))
            for trouble in (each for each in found if isinstance(each, BaseException)):
                raise trouble

    monkeypatch.setattr(held_by, "hold_mutants", hold_mutants)
    return found


def test_a_defect_that_is_caught_is_shown_with_what_caught_it(seen: list[Any], tmp_path: Path):
    seen += [CAUGHT, MISSED, UNHELD]
    shown = jarvis("--only", "gate-off", "--out", tmp_path)
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in shown.stdout.splitlines() if "│" in line]
    assert shown.exit_code == 0
    assert [row[2:] for row in rows] == [
        ["unanswerable/scooters", "text", "passed", "failed", "x_refuses"],
        ["unanswerable/strollers", "text", "passed", "failed", "no: response"],
        ["unanswerable/accountant", "text", "failed", "not held", "no"],
    ]


def test_a_defect_that_is_not_caught_is_told_and_fails(seen: list[Any], tmp_path: Path):
    seen += [MISSED]
    shown = jarvis("--only", "gate-off", "--only", "failover-off", "--out", tmp_path)
    assert shown.exit_code == 1
    assert "Not caught: failover-off, gate-off." in shown.stderr


def test_the_verdicts_are_written_as_json(seen: list[Any], tmp_path: Path):
    seen += [CAUGHT]
    jarvis("--out", tmp_path)
    kept = json.loads((tmp_path / "mutants.json").read_text())
    assert [each["name"] for each in kept] == [*MUTANTS]
    assert kept[0]["scenarios"][0]["by"] == "x_refuses"


def test_an_unknown_mutant_is_told_with_those_that_there_are(seen: list[Any]):
    shown = jarvis("--only", "gate-of")
    assert shown.exit_code == 2
    assert "gate-off" in shown.stderr


@pytest.mark.parametrize(
    ("trouble", "code", "told"),
    [
        (MutantError("facts/gone is in no file."), 2, "facts/gone is in no file."),
        (PermissionError(13, "Permission denied"), 2, "can't be written (Permission denied)"),
    ],
)
def test_what_keeps_mutants_from_being_held_is_told(
    seen: list[Any], tmp_path: Path, trouble: BaseException, code: int, told: str
):
    seen.append(trouble)
    shown = jarvis("--out", tmp_path)
    assert shown.exit_code == code
    assert told in " ".join(shown.stderr.split())


@pytest.mark.parametrize("how", [KeyboardInterrupt(), asyncio.CancelledError()], ids=["by Ctrl-C", "by TERM"])
def test_what_was_over_when_it_was_stopped_is_kept(seen: list[Any], tmp_path: Path, how: BaseException):
    seen += [CAUGHT, how]
    shown = jarvis("--out", tmp_path)
    assert shown.exit_code == 130
    assert "Stopped." in shown.stderr
    assert "x_refuses" in shown.stdout
    assert len(json.loads((tmp_path / "mutants.json").read_text())) == 1
