"""`jarvis drill`."""

import asyncio
import os
import signal
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from evals.drill import run
from evals.drill.errors import DrillError
from evals.drill.measure import DrillTurn, Verdict
from evals.drill.scenarios import Kind
from server.cli import app

GOOD = DrillTurn("llm", "stall", Kind.GOOD, Verdict.ONCE, silence_ms=900.0, gap_ms=0.0, by_first=True)
LOST = DrillTurn("llm", "stall", Kind.FAULTY, Verdict.LOST, silence_ms=None, gap_ms=0.0, by_first=False)


def jarvis(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["drill", *arguments])


def held(monkeypatch: pytest.MonkeyPatch, *turns: DrillTurn) -> None:
    async def hold(*_: Any, **__: Any) -> list[DrillTurn]:
        return [*turns]

    monkeypatch.setattr(run, "drill", hold)


@pytest.mark.parametrize(("turns", "code"), [([GOOD], 0), ([GOOD, LOST], 1)])
def test_the_exit_code_says_whether_the_goals_are_met(
    monkeypatch: pytest.MonkeyPatch, turns: list[DrillTurn], code: int
):
    held(monkeypatch, *turns)
    assert jarvis("--stage", "llm", "--fault", "stall").exit_code == code


def test_the_table_can_be_markdown_and_says_that_vendors_are_simulated(monkeypatch: pytest.MonkeyPatch):
    held(monkeypatch, GOOD)
    shown = jarvis("--markdown").stdout
    assert shown.startswith("| Stage |")
    assert "simulated" in shown


@pytest.mark.parametrize("arguments", [("--stage", "ear"), ("--fault", "boredom")])
def test_a_name_that_is_none_is_refused_with_those_there_are(arguments: tuple[str, str]):
    result = jarvis(*arguments)
    assert result.exit_code == 2
    assert "Known are" in result.output


def test_what_is_stopped_shows_the_calls_that_were_over(monkeypatch: pytest.MonkeyPatch):
    async def hold(calls: Any, *, on_turns: Any, **_: Any) -> list[DrillTurn]:
        on_turns(calls[0], [GOOD])
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(run, "drill", hold)
    result = jarvis("--markdown")
    assert result.exit_code == 130
    assert "| llm | stall | 1 |" in result.stdout


def test_a_folder_that_is_not_there_is_told_before_anything_is_drilled():
    result = jarvis("--json", "/nowhere/drill.json")
    assert result.exit_code == 2
    assert "/nowhere" in result.output


def test_without_the_source_it_says_so(monkeypatch: pytest.MonkeyPatch):
    async def hold(*_: Any, **__: Any) -> list[DrillTurn]:
        raise DrillError("part of Jarvis' source")

    monkeypatch.setattr(run, "drill", hold)
    result = jarvis()
    assert result.exit_code == 2
    assert "source" in result.stderr
