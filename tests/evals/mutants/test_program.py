"""Jarvis, started with a defect in its bots."""

import runpy
import sys
from types import ModuleType
from typing import Any

import pytest

from evals.mutants.defects import MUTANTS, Mutant

ARGUMENTS = ["program.py", "tried", "run", "--port", "0"]


@pytest.fixture
def bot(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """What a mutant breaks."""
    module = ModuleType("tried")
    module.__dict__["GREETING"] = "Hello."
    monkeypatch.setitem(sys.modules, "tried", module)
    monkeypatch.setitem(
        MUTANTS, "tried", Mutant("tried", "it shouts", "tried:GREETING", str.upper, ("x_says",), ("greeting/one",))
    )
    monkeypatch.setattr(sys, "argv", ARGUMENTS)
    return module


def test_a_forked_process_is_broken(bot: ModuleType):
    runpy.run_module("evals.mutants.program", run_name="__mp_main__")
    assert bot.GREETING == "HELLO."


def test_the_server_is_whole_and_gets_its_own_arguments(bot: ModuleType, monkeypatch: pytest.MonkeyPatch):
    told: list[Any] = []
    monkeypatch.setattr("server.cli.app", lambda **options: told.append(options["args"]))
    runpy.run_module("evals.mutants.program", run_name="__main__")
    assert (bot.GREETING, told) == ("Hello.", [["run", "--port", "0"]])
