"""Runs whose caller is played: which count, which are discarded and held again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pipecat.evals.results import EvalAssertionFailure, EvalScriptResult, EvalScriptTurnResult

from evals.scenarios import run as module
from evals.scenarios.harness import Held
from evals.scenarios.lint import lint
from evals.scenarios.overhearing import Message
from evals.scenarios.plan import plan
from evals.scenarios.results import Results
from evals.simulated.conduct import Line
from evals.simulated.harness import Simulated
from tests.evals.scenarios.given import NOTHING_KEPT
from tests.evals.scenarios.test_run import PlayedStand
from tests.evals.simulated.given import played_file

GREETING = Line(False, "Hello, this is Jarvis.")
ANSWER = "It costs 18 dollars."
ASKED = Line(True, "What does a puncture cost?")


class PlayedDoubles:
    def __init__(self) -> None:
        self.variables = {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}
        self.told: list[dict[str, Any]] = []

    async def tell(self, **what: Any) -> None:
        self.told.append(what)


@asynccontextmanager
async def stands(*_: object, **__: object) -> AsyncIterator[Any]:
    stand: Any = PlayedStand()
    stand.doubles = PlayedDoubles()
    yield stand


def done(
    *lines: Line, said: str = "It costs 18 dollars.", failures: tuple[EvalAssertionFailure, ...] = ()
) -> Simulated:
    turns = [EvalScriptTurnResult(number, "passed") for number in range(2)]
    result = EvalScriptResult("tried/played", passed=not failures, failures=list(failures), turns=turns)
    messages = (Message(20.0, "bot-llm-started", {}), Message(21.0, "bot-llm-text", {"text": said}))
    held = Held(result, "s1", messages, (0.0, *(10.0 for _ in lines)))
    conversation = (GREETING, *lines, Line(False, said))
    return Simulated(held, (None, *(each.text for each in lines)), conversation, "end_call")


async def records(folder: Path, monkeypatch: pytest.MonkeyPatch, *ways: Simulated) -> list[dict[str, Any]]:
    left = list(ways)

    async def simulate(*_: Any, **__: Any) -> Simulated:
        return left.pop(0)

    monkeypatch.setattr(module, "simulate", simulate)
    file = played_file(folder)
    suite = plan([(file, lint(file))], tiers=["text"])
    results = Results(folder / "out")
    results.begin({})
    await module.hold_suite(
        suite, results, jobs=1, live={}, sample=NOTHING_KEPT, on_record=lambda _: None, stands=stands
    )
    assert left == []
    return [dict(each) for each in results.records]


async def test_what_the_answers_come_to_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (record,) = await records(tmp_path, monkeypatch, done(ASKED))
    assert (record["x_status"], record["x_providers"], record["x_tier"]) == ("passed", "doubles", "text")
    assert [(turn["user"], turn["said"]) for turn in record["x_turns"]] == [
        (None, ""), ("What does a puncture cost?", "It costs 18 dollars."),
    ]  # fmt: skip


async def test_a_wrong_answer_fails_whatever_the_caller_makes_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (record,) = await records(tmp_path, monkeypatch, done(ASKED, said="It is free."))
    assert (record["x_status"], record["x_failures"][0]["check"]) == ("failed", "x_says")


async def test_a_run_that_the_caller_spoilt_is_told_and_held_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    spoilt, good = await records(tmp_path, monkeypatch, done(Line(True, "A puncture? How can I help?")), done(ASKED))
    assert (spoilt["x_status"], spoilt["x_replaced"]) == ("invalid", True)
    assert "speaks as the bot" in spoilt["x_failures"][0]["reason"]
    assert (good["x_status"], good["x_run"], "x_replaced" in good) == ("passed", 1, False)


async def test_a_caller_who_always_spoils_it_leaves_the_run_invalid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    found = await records(tmp_path, monkeypatch, *[done(Line(True, "Nice weather."))] * 3)
    assert [(each["x_status"], each.get("x_replaced")) for each in found] == [
        ("invalid", True), ("invalid", True), ("invalid", None),
    ]  # fmt: skip


async def test_a_model_that_fails_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    failure = EvalAssertionFailure(0, -1, "simulator", "the answer could not be had", "error")
    (record,) = await records(tmp_path, monkeypatch, done(failures=(failure,)))
    assert (record["x_status"], record["x_failures"][0]["reason"]) == ("error", "the answer could not be had")


async def test_a_bot_that_falls_silent_fails_although_all_was_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    ended = done(ASKED)
    unanswered = replace(ended, ended_by="silence", lines=ended.lines[:-1])
    (record,) = await records(tmp_path, monkeypatch, unanswered)
    assert (record["x_status"], record["x_failures"][0]["check"]) == ("failed", "held")
