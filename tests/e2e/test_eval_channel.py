"""Pipecat's own eval harness holds calls with the running server."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pipecat.evals.scenario import EvalScenarioFile
from pipecat.evals.script import EvalScriptScenario

from evals.program import Jarvis
from evals.scenarios.harness import Held, hold

pytestmark = pytest.mark.e2e

RETURNS = "How long do I have to send back something I never used?"
SCENARIO = f"""
name: handbook
scenarios:
  - name: returns
    turns:
      - expect:
          - {{event: response, text_contains: "this is Jarvis", within_ms: 5000}}
      - user: "{RETURNS}"
        expect:
          - {{event: llm_started}}
          - {{event: response, text_contains: "30 days of delivery", within_ms: 5000}}
          - {{event: bot_started_speaking, absent: true, within_ms: 1000}}
      - user: "Who won the football match last night?"
        expect:
          - {{event: response, text_excludes: "That's from", within_ms: 5000}}
"""


@pytest.fixture
def scenario_file(tmp_path: Path) -> Path:
    path = tmp_path / "handbook.yaml"
    path.write_text(SCENARIO)
    return path


def loaded(path: Path) -> EvalScriptScenario:
    (scenario,) = EvalScenarioFile.load(path)
    assert isinstance(scenario, EvalScriptScenario)
    return scenario


def reports(held: Held, kind: str) -> list[Any]:
    """What the bot reported of that type."""
    return [each["report"] for each in held.told("report") if each["report"]["type"] == kind]


async def test_a_scenario_in_writing_is_a_call_that_is_kept_and_tells_what_was_looked_up(
    jarvis: Jarvis, scenario_file: Path
):
    key = jarvis.operator_key()
    held = await hold(loaded(scenario_file), base_url=jarvis.url, key=key, wanted={"caller": "eval"})
    assert held.result.passed, held.result.failures
    (found,) = held.told("passages", 1)
    assert found["question"] == RETURNS
    assert found["passages"][0]["title"] == "Returns policy"
    assert "within 30 days of delivery" in found["passages"][0]["text"]
    assert found["ms"] > 0
    assert {each["source"] for each in held.told("citation", 1)} == {"returns-policy.md"}
    assert (len(reports(held, "gap")), reports(held, "turn")) == (1, [])
    call = jarvis.request("GET", f"/api/ingress/calls/{held.session_id}", token=key)[1]
    assert (call["call"]["channel"], call["call"]["end_reason"]) == ("eval", "hang_up")
    assert [turn["role"] for turn in call["turns"]] == ["assistant", *("user", "assistant") * 2]
    assert call["turns"][1]["text"] == RETURNS


def test_the_stock_tool_holds_the_same_scenario(jarvis: Jarvis, scenario_file: Path, tmp_path: Path):
    address = f"{jarvis.url.replace('http://', f'ws://key:{jarvis.operator_key()}@')}/api/ingress/eval"
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("pipecat")), "eval", "run", str(scenario_file),
            "--bot-url", address, "--logs-dir", str(tmp_path),
        ],
        capture_output=True, text=True, timeout=60, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
