"""What is wrong with scenarios whose caller is simulated."""

from pathlib import Path

import pytest
from pipecat.evals.scenario import EvalScenarioFile
from pipecat.evals.simulation import EvalSimulationScenario

from evals.scenarios.lint import lint
from tests.evals.scenarios.given import read_text
from tests.evals.simulated.given import SAYS, played_file

NO_SCRIPT = "script is for a language model's double: set `providers: doubles`"


def complaints(folder: Path, keys: str, **more: str) -> list[str]:
    return [each.text for each in lint(played_file(folder, keys, **more))]


def test_a_good_one_is_not_complained_of_and_pipecats_own_tool_reads_it(tmp_path: Path):
    file = played_file(tmp_path)
    assert lint(file) == []
    (stock,) = EvalScenarioFile.load(file.file).scenarios
    assert isinstance(stock, EvalSimulationScenario)


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ("", "nothing says what the call must come to"),
        (SAYS + "    x_measure: {v2v_ms: 900}\n", "x_measure is of a spoken call"),
        (SAYS + "    runs: 3\n", "runs is not held here"),
        (SAYS + "    x_source: [Workshp]\n", "no document has the title 'Workshp'; is it 'Workshop'?"),
        (SAYS + "    x_sayz: [a]\n", "'x_sayz' is no key here; is it 'x_says'?"),
        (SAYS + "    x_phrase: flat\n", "'x_phrase' is no key here"),
        ("    x_says: ['?']\n", "it has no word, so it is always said"),
        (SAYS + "    x_faults: [{turn: 0, stage: llm, fault: stall}]\n", "x_faults can't name one"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, keys: str, text: str):
    found = complaints(tmp_path, keys)
    assert [each for each in found if text in each]


def test_a_script_is_for_doubles_alone(tmp_path: Path):
    assert complaints(tmp_path, SAYS, jarvis="") == [
        "script is for a language model's double: set `providers: doubles`"
    ]


def test_a_simulated_caller_writes(tmp_path: Path):
    found = complaints(tmp_path, SAYS, jarvis=", providers: doubles, tiers: [text, audio]")
    assert found == ["a simulated caller writes: use `tiers: [text]`"]


def test_without_what_it_must_ask_for_it_is_not_held(tmp_path: Path):
    file = read_text(
        tmp_path, "name: tried\nscenarios:\n  - {name: one, persona: A man., goal: To ask., success: it answers}\n"
    )
    assert ["needs `x_caller:`" in each.text for each in lint(file)] == [True]


def test_a_script_has_no_simulated_caller(tmp_path: Path):
    file = read_text(
        tmp_path,
        "name: tried\nscenarios:\n  - name: one\n    x_caller: {asks: [flat]}\n"
        "    turns: [{user: Hello., expect: [{event: response}]}]\n",
    )
    assert any("x_caller is of a simulated caller" in each.text for each in lint(file))
