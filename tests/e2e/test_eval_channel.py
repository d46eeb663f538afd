"""Pipecat's own eval harness holds calls with the running server."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pipecat.evals.scenario import EvalScenarioFile
from pipecat.evals.script import EvalScriptScenario
from pipecat.evals.script_session import EvalScriptSession

from evals.program import Jarvis
from evals.scenarios.harness import Held, hold

pytestmark = pytest.mark.e2e

KEPT_SECS = 5.0
QUESTION = "How much is a membership for one person?"
SCENARIOS = f"""
name: handbook
scenarios:
  - name: membership
    turns:
      - expect:
          - {{event: response, text_contains: "this is Jarvis", within_ms: 5000}}
      - user: "{QUESTION}"
        expect:
          - {{event: llm_started}}
          - {{event: response, text_contains: "49 dollars", within_ms: 5000}}
          - {{event: bot_started_speaking, absent: true, within_ms: 500}}
      - user: "Who won the football match last night?"
        expect:
          - {{event: response, text_excludes: "That's from", within_ms: 5000}}
  - name: at_once
    turns:
      - user: "{QUESTION}"
        expect:
          - {{event: response, text_contains: "That's from the membership page.", within_ms: 5000}}
  - name: again
    context:
      - {{role: user, content: "Do you rent tandems?"}}
      - {{role: assistant, content: "We do."}}
    turns:
      - user: "{QUESTION}"
        expect:
          - {{event: response, text_contains: "49 dollars", within_ms: 5000}}
"""


@pytest.fixture
def scenarios(tmp_path: Path) -> list[EvalScriptScenario]:
    path = tmp_path / "handbook.yaml"
    path.write_text(SCENARIOS)
    return [each for each in EvalScenarioFile.load(path) if isinstance(each, EvalScriptScenario)]


def reports(held: Held, kind: str) -> list[Any]:
    """What the bot reported of that type."""
    return [each["report"] for each in held.told("report") if each["report"]["type"] == kind]


async def record(jarvis: Jarvis, call_id: str) -> dict[str, Any]:
    """What is kept of the call, once it is kept that it has ended."""
    async with asyncio.timeout(KEPT_SECS):
        while True:
            kept = jarvis.request("GET", f"/api/ingress/calls/{call_id}", token=jarvis.operator_key())[1]
            if kept["call"]["ended_at"]:
                return kept
            await asyncio.sleep(0.1)


async def test_a_scenario_in_writing_is_a_call_that_is_kept_and_tells_what_was_looked_up(
    jarvis: Jarvis, scenarios: list[EvalScriptScenario]
):
    held = await hold(scenarios[0], base_url=jarvis.url, key=jarvis.operator_key(), wanted={"caller": "eval"})
    assert held.result.passed, held.result.failures
    (found,) = held.told("passages", 1)
    assert found["question"] == QUESTION
    assert found["passages"][0]["source"] == "membership.md"
    assert "49 dollars a year" in found["passages"][0]["text"]
    assert found["ms"] > 0
    assert {each["source"] for each in held.told("citation", 1)} == {"membership.md"}
    assert (len(reports(held, "gap")), reports(held, "turn")) == (1, [])
    kept = await record(jarvis, str(held.session_id))
    assert (kept["call"]["channel"], kept["call"]["end_reason"]) == ("eval", "hang_up")
    assert [turn["role"] for turn in kept["turns"]] == ["assistant", *("user", "assistant") * 2]
    assert kept["turns"][2]["sources"][0]["title"] == "Membership"


async def test_the_stock_session_holds_a_call_for_each_scenario_by_a_key_in_the_address(
    jarvis: Jarvis, scenarios: list[EvalScriptScenario]
):
    address = f"{jarvis.url.replace('http://', f'ws://key:{jarvis.operator_key()}@')}/api/ingress/eval"
    for scenario in scenarios[1:]:
        result = await EvalScriptSession.from_scenario(scenario, address).run()
        assert result.passed, result.failures


async def test_whoever_is_not_the_operator_holds_none(jarvis: Jarvis, scenarios: list[EvalScriptScenario]):
    address = f"{jarvis.url.replace('http://', 'ws://key:jk_000000000000_0@')}/api/ingress/eval"
    (failure,) = (await EvalScriptSession.from_scenario(scenarios[1], address).run()).failures
    assert (failure.kind, "401" in failure.reason) == ("connect_failed", True)
