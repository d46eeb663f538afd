"""`jarvis bench`."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from evals.bench import machine, soak, turns
from evals.bench.errors import BenchError
from evals.bench.figures import Figure, Finding, Note
from server.cli import app

V2V = Figure("voice to voice", "ms", (700.0, 710.0), "Jarvis")

Measure = Callable[..., AsyncIterator[Finding]]


def jarvis(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["bench", *arguments])


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "busy_percent", lambda: 1.0)


def measuring(monkeypatch: pytest.MonkeyPatch, *findings: Finding, ends: BaseException | None = None) -> list[Any]:
    """What the measure is told."""
    told: list[Any] = []

    async def measure(**options: Any) -> AsyncIterator[Finding]:
        told.append(options)
        for finding in findings:
            yield finding
        if ends is not None:
            raise ends

    monkeypatch.setattr(turns, "turns", measure)
    return told


def test_the_table_says_that_vendors_are_simulated(monkeypatch: pytest.MonkeyPatch):
    told = measuring(monkeypatch, V2V, Note("All was well."))
    result = jarvis("turns", "--runs", "2", "--stt", "deepgram_flux")
    assert result.exit_code == 0
    assert "providers: doubles (the vendors are simulated)" in result.stdout
    assert "All was well." in result.stdout
    assert (told[0]["runs"], told[0]["recogniser"], told[0]["providers"]) == (2, "deepgram_flux", "doubles")


def test_the_file_has_every_value(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    measuring(monkeypatch, V2V)
    assert jarvis("turns", "--providers", "embedded", "--json", str(tmp_path / "out.json")).exit_code == 0
    told = json.loads((tmp_path / "out.json").read_text())
    assert told["figures"][0]["values"] == [700.0, 710.0]
    assert (told["providers"], told["options"]["stt"], told["is_whole"]) == ("embedded", None, True)


def test_a_busy_machine_is_refused(monkeypatch: pytest.MonkeyPatch):
    told = measuring(monkeypatch, V2V)
    monkeypatch.setattr(machine, "busy_percent", lambda: 80.0)
    result = jarvis("turns")
    assert (result.exit_code, told) == (2, [])
    assert "80 %" in result.stderr
    assert "--anyway" in result.stderr


def test_a_busy_machine_that_is_measured_nevertheless_is_called_busy(monkeypatch: pytest.MonkeyPatch):
    measuring(monkeypatch, V2V)
    monkeypatch.setattr(machine, "busy_percent", lambda: 80.0)
    result = jarvis("turns", "--anyway")
    assert result.exit_code == 0
    assert "BUSY: 80 %" in " ".join(result.stdout.split())


@pytest.mark.parametrize(
    ("ends", "code"), [(BenchError("Jarvis did not start: the port is taken"), 2), (KeyboardInterrupt(), 130)]
)
def test_what_was_measured_before_the_end_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ends: BaseException, code: int
):
    measuring(monkeypatch, V2V, ends=ends)
    result = jarvis("turns", "--json", str(tmp_path / "out.json"))
    assert result.exit_code == code
    assert "cut off" in result.stdout
    told = json.loads((tmp_path / "out.json").read_text())
    assert (len(told["figures"]), told["is_whole"]) == (1, False)
    assert ("the port is taken" in result.stderr) is (code == 2)


def test_a_bench_that_is_terminated_ends_what_it_started(monkeypatch: pytest.MonkeyPatch):
    ended: list[str] = []

    async def measure(**_: Any) -> AsyncIterator[Finding]:
        try:
            yield V2V
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.Event().wait()
        finally:
            ended.append("server")

    monkeypatch.setattr(turns, "turns", measure)
    result = jarvis("turns")
    assert (result.exit_code, ended) == (130, ["server"])
    assert "voice to voice" in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("turns", "--runs", "0"),
        ("turns", "--stt", "ear"),
        ("turns", "--providers", "live"),
        ("capacity", "--max-calls", "0"),
        ("soak", "--minutes", "0"),
        ("retrieval", "--size", "0"),
    ],
)
def test_what_can_not_be_measured_is_refused(arguments: tuple[str, ...]):
    assert jarvis(*arguments).exit_code == 2


def test_a_folder_that_is_not_there_is_told_before_anything_is_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    told = measuring(monkeypatch, V2V)
    result = jarvis("turns", "--json", str(tmp_path / "none" / "out.json"))
    assert (result.exit_code, told) == (2, [])


def test_a_file_that_can_not_be_written_costs_no_figure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    measuring(monkeypatch, V2V)
    result = jarvis("turns", "--json", str(tmp_path))
    assert result.exit_code == 2
    assert "voice to voice" in result.stdout
    assert "can't be written" in result.stderr


@pytest.mark.parametrize(("grew", "code"), [(False, 0), (True, 1)])
def test_a_soak_in_which_something_grew_fails(monkeypatch: pytest.MonkeyPatch, grew: bool, code: int):
    async def measure(*, outcome: soak.Soak, **_: Any) -> AsyncIterator[Finding]:
        outcome.grew = grew
        yield V2V

    monkeypatch.setattr(soak, "soak", measure)
    assert jarvis("soak").exit_code == code
