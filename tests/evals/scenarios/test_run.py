"""Holding a suite, with a Jarvis and a harness that are played."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pipecat.evals.results import EvalAssertionFailure, EvalScriptResult, EvalScriptTurnResult

from bot.providers.openai import OpenAILLM
from evals.scenarios import run as module
from evals.scenarios.errors import SuiteError
from evals.scenarios.harness import Held
from evals.scenarios.lint import lint
from evals.scenarios.overhearing import Message
from evals.scenarios.plan import plan
from evals.scenarios.results import Results
from evals.scenarios.run import hold_suite
from tests.evals.scenarios.given import NOTHING_KEPT, read_text

MODEL = OpenAILLM.model_validate({"api_key": "sk-test"})
ANSWER = "It costs 18 dollars. That's from the workshop page."
TEXT = """\
name: tried
x_jarvis: {version: 1, knowledge: documents}
scenarios:
  - name: good
    turns: &asked
      - user: What does a puncture cost?
        expect: [{event: response}]
        x_says: [18 dollars]
  - name: later
    x_pending: no feature yet
    turns: *asked
  - name: wrong
    turns: [{user: Hello., expect: [{event: respnse}]}]
"""


class PlayedStand:
    """Keeps nothing, and is told nothing."""

    url, key = "http://127.0.0.1:1", "key"
    doubles: Any = None

    def collection(self, scenario: Any) -> str:
        return "default"

    def logged(self) -> int:
        return 0

    def log_since(self, at: int) -> str:
        return "started"

    async def record(self, session: str) -> str:
        return "{}"


class Told:
    """Doubles that know how they were last told to fail; `failing` is how they did in each turn."""

    def __init__(self) -> None:
        self.fault: str | None = None
        self.failing: list[str | None] = []
        self.recalls: list[str] = []

    def tell(self, **what: Any) -> asyncio.Future[dict[str, int]]:
        self.recalls += what.get("recalls", [])
        self.fault = what.get("fault", self.fault)
        answer: asyncio.Future[dict[str, int]] = asyncio.get_running_loop().create_future()
        answer.set_result({})
        return answer


@asynccontextmanager
async def played(*_: object, **__: object) -> AsyncIterator[Any]:
    yield PlayedStand()


def conversation(scenario: Any, *, said: str = ANSWER) -> Held:
    turns = [EvalScriptTurnResult(number, "passed") for number in range(len(scenario.turns))]
    messages = [Message(20.0, "bot-llm-started", {}), Message(21.0, "bot-llm-text", {"text": said})]
    result = EvalScriptResult(scenario.name, passed=True, turns=turns)
    return Held(result, "s1", tuple(messages), (10.0, *(30.0,) * (len(turns) - 1)))


def unreached(scenario: Any) -> Held:
    held = conversation(scenario)
    failure = EvalAssertionFailure(-1, -1, "<connect>", "All lines are busy.", "connect_failed")
    return replace(held, result=replace(held.result, passed=False, failures=[failure]))


class Harness:
    """Holds each conversation as it is told to, one behind the other; the last way is that of all that follow."""

    def __init__(self, *ways: Any) -> None:
        self.ways = list(ways)
        self.held: list[str] = []

    async def hold(self, scenario: Any, **_: Any) -> Held:
        self.held.append(scenario.name)
        way = self.ways.pop(0) if len(self.ways) > 1 else self.ways[0]
        if isinstance(way, Exception):
            raise way
        return way(scenario)


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN_SECS", 0.0)


async def held(
    folder: Path,
    harness: Harness,
    monkeypatch: pytest.MonkeyPatch,
    *,
    stands: Any = played,
    text: str = TEXT,
    model: Any = None,
    **options,
) -> dict[str, dict[str, Any]]:
    """The records by their scenarios."""
    monkeypatch.setattr(module, "hold", harness.hold)
    file = read_text(folder, text)
    suite = plan([(file, lint(file))], tiers=["text"], **options)
    results = Results(folder / "out")
    results.begin({})
    told: list[Any] = []
    await hold_suite(
        suite, results, jobs=2, live={}, sample=NOTHING_KEPT, on_record=told.append, model=model, stands=stands
    )
    assert told == results.records
    return {each["scenario_name"]: dict(each) for each in results.records}


async def test_what_is_good_passes_and_the_rest_is_told_by_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    found = await held(tmp_path, Harness(conversation), monkeypatch)
    assert {name: each["x_status"] for name, each in found.items()} == {
        "tried/good": "passed", "tried/later": "pending", "tried/wrong": "invalid",
    }  # fmt: skip
    assert found["tried/good"]["x_turns"][0]["said"] == ANSWER
    assert found["tried/later"]["skipped"] == "no feature yet"
    assert found["tried/wrong"]["x_failures"][0]["line"] == 13


async def test_an_answer_of_other_words_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    harness = Harness(lambda scenario: conversation(scenario, said="It is free."))
    good = (await held(tmp_path, harness, monkeypatch))["tried/good"]
    (failure,) = good["x_failures"]
    assert (good["x_status"], good["passed"], failure["check"], failure["turn"]) == ("failed", False, "x_says", 0)


async def test_a_recording_that_is_missing_is_told_by_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    text = TEXT.replace("documents}", "documents, tiers: [text, audio]}")
    text += "  - name: silent\n    turns:\n      - {user: Hello., x_recording: no.flac, expect: [{event: response}]}\n"
    found = await held(tmp_path, Harness(conversation), monkeypatch, text=text)
    assert (found["tried/good"]["x_status"], found["tried/silent"]["x_status"]) == ("passed", "invalid")
    (failure,) = found["tried/silent"]["x_failures"]
    assert (failure["reason"], failure["line"]) == ("no.flac is missing", 16)


async def test_doubles_and_the_operator_do_as_each_turn_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    doubles = Told()

    @asynccontextmanager
    async def stands(*_: object, **__: object) -> AsyncIterator[Any]:
        served = PlayedStand()
        served.doubles = doubles
        yield served

    async def hold(scenario: Any, *, on_turn: Any, changes: Any, **_: Any) -> Held:
        assert {number: each.llm for number, each in changes.items()} == {1: "anthropic"}
        for number in range(3):
            on_turn(number)
            doubles.failing.append(doubles.fault)
        return conversation(scenario)

    monkeypatch.setattr(module, "hold", hold)
    faults = "[{turn: 0, stage: llm, fault: drop}, {turn: 2, stage: llm, fault: stall}]"
    turn, again = ("{user: A., expect: [{event: response}]" + each for each in ("}", ", x_recalls: true}"))
    changed = turn[:-1] + ", x_change: {llm: anthropic}}"
    file = read_text(
        tmp_path,
        "name: tried\nx_jarvis: {version: 1, knowledge: documents, providers: doubles}\n"
        f"scenarios: [{{name: good, x_faults: {faults}, turns: [{turn}, {changed}, {again}]}}]\n",
    )
    results = Results(tmp_path / "out")
    results.begin({})
    suite = plan([(file, lint(file))], tiers=["text"])
    await hold_suite(suite, results, jobs=1, live={}, sample=NOTHING_KEPT, on_record=lambda _: None, stands=stands)
    assert ([each["x_status"] for each in results.records], doubles.failing) == (["passed"], ["drop", None, "stall"])
    assert (doubles.fault, doubles.recalls) == (None, ["A."])


async def test_a_call_that_cant_be_had_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patience: None):
    harness = Harness(unreached, conversation)
    found = await held(tmp_path, harness, monkeypatch)
    assert (found["tried/good"]["x_status"], len(harness.held)) == ("passed", 2)


async def test_a_bot_that_never_connects_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patience: None):
    good = (await held(tmp_path, Harness(unreached), monkeypatch))["tried/good"]
    assert (good["x_status"], good["x_failures"][0]["reason"]) == ("error", "All lines are busy.")


async def test_a_harness_that_breaks_costs_its_own_run_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    harness = Harness(RuntimeError("no ears"), conversation)
    found = await held(tmp_path, harness, monkeypatch, pending=True)
    assert sorted(each["x_status"] for each in found.values()) == ["error", "failed", "invalid"]
    (broken,) = (each for each in found.values() if each["x_status"] == "error")
    assert broken["x_failures"][0]["reason"] == "RuntimeError: no ears"


async def test_a_jarvis_that_does_not_start_is_an_error_of_its_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    @asynccontextmanager
    async def failing(*_: object, **__: object) -> AsyncIterator[Any]:
        raise SuiteError("No room.")
        yield

    good = (await held(tmp_path, Harness(conversation), monkeypatch, stands=failing))["tried/good"]
    assert (good["x_status"], good["x_failures"][0]["reason"]) == ("error", "No room.")


async def test_what_waited_for_its_feature_fails_once_it_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    later = (await held(tmp_path, Harness(conversation), monkeypatch, pending=True))["tried/later"]
    assert (later["x_status"], later["x_failures"][0]["check"]) == ("failed", "x_pending")


async def test_what_waits_for_its_feature_may_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    harness = Harness(lambda scenario: conversation(scenario, said="It is free."))
    later = (await held(tmp_path, harness, monkeypatch, pending=True))["tried/later"]
    assert (later["x_status"], later["x_failures"][0]["check"]) == ("pending", "x_says")


LIVE = """\
name: tried
x_jarvis: {version: 1, knowledge: documents, providers: live}
scenarios:
  - name: good
    turns:
      - user: What does a puncture cost?
        expect: [{event: response, eval: names the price}]
        x_says: [18 dollars]
"""


async def test_a_judge_without_a_verdict_is_an_error_and_not_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    failure = EvalAssertionFailure(-1, -1, "<judge>", "no verdict that could be used", "judge_no_verdict")

    def unjudged(scenario: Any) -> Held:
        done = conversation(scenario)
        return replace(done, result=replace(done.result, passed=False, failures=[failure]))

    good = (await held(tmp_path, Harness(unjudged), monkeypatch, text=LIVE, model=MODEL))["tried/good"]
    assert (good["x_status"], good["x_failures"][0]["reason"]) == ("error", "no verdict that could be used")


async def test_a_judge_that_says_yes_does_not_outweigh_a_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    harness = Harness(lambda scenario: conversation(scenario, said="It is free."))
    good = (await held(tmp_path, harness, monkeypatch, text=LIVE, model=MODEL))["tried/good"]
    assert (good["x_status"], [each["check"] for each in good["x_failures"]]) == ("failed", ["x_says"])


async def test_without_a_model_a_live_run_says_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    good = (await held(tmp_path, Harness(conversation), monkeypatch, text=LIVE))["tried/good"]
    assert good["x_status"] == "error"
    assert good["x_failures"][0]["reason"].startswith("There is no language model to ask. Set OPENAI_API_KEY")


async def test_calls_of_two_servers_take_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    turns = '[{user: "What does a puncture cost?", expect: [{event: response}], x_says: [18 dollars]}]'
    text = "name: tried\nscenarios:\n"
    for name, settings in (("one", "{}"), ("other", "{JARVIS_NAME: Robin}")):
        for number in range(3):
            setup = f"{{version: 1, knowledge: documents, settings: {settings}}}"
            text += f"  - {{name: {name}{number}, x_jarvis: {setup}, turns: {turns}}}\n"
    both, order = asyncio.Barrier(2), list[str]()

    @asynccontextmanager
    async def stands(*_: object, **__: object) -> AsyncIterator[Any]:
        await both.wait()
        yield PlayedStand()

    async def hold(scenario: Any, **_: Any) -> Held:
        order.append(scenario.name.rstrip("012"))
        await asyncio.sleep(0)
        return conversation(scenario)

    harness = Harness(conversation)
    monkeypatch.setattr(harness, "hold", hold)
    await held(tmp_path, harness, monkeypatch, stands=stands, text=text)
    assert "tried/one" in order[:4]
    assert "tried/other" in order[:4]


TWO_SETTINGS = """\
name: tried
scenarios:
  - name: one
    x_jarvis: {version: 1, knowledge: documents}
    turns: [{user: "What does a puncture cost?", expect: [{event: response}], x_says: [18 dollars]}]
  - name: other
    x_jarvis: {version: 1, knowledge: documents, settings: {JARVIS_NAME: Robin}}
    turns: [{user: "What does a puncture cost?", expect: [{event: response}], x_says: [18 dollars]}]
"""


async def test_with_two_calls_at_once_two_servers_run_beside_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    both = asyncio.Barrier(2)

    @asynccontextmanager
    async def stands(*_: object, **__: object) -> AsyncIterator[Any]:
        await asyncio.wait_for(both.wait(), 5)
        yield PlayedStand()

    found = await held(tmp_path, Harness(conversation), monkeypatch, stands=stands, text=TWO_SETTINGS)
    assert [each["x_status"] for each in found.values()] == ["passed", "passed"]


async def test_many_calls_with_doubles_are_shared_out_among_two_servers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    turn = '{user: "What does a puncture cost?", expect: [{event: response}], x_says: [18 dollars]}'
    names = "\n".join(f"  - {{name: call{number}, turns: [{turn}]}}" for number in range(module.MANY))
    setup = "x_jarvis: {version: 1, knowledge: documents, providers: doubles}"
    both = asyncio.Barrier(2)

    @asynccontextmanager
    async def stands(*_: object, **__: object) -> AsyncIterator[Any]:
        await asyncio.wait_for(both.wait(), 5)
        yield PlayedStand()

    text = f"name: tried\n{setup}\nscenarios:\n{names}\n"
    found = await held(tmp_path, Harness(conversation), monkeypatch, stands=stands, text=text)
    assert [each["x_status"] for each in found.values()] == ["passed"] * module.MANY
