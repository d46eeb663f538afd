"""Scenario files as Pipecat reads them, and for the keys that it passes over."""

from pathlib import Path

import pytest
from pipecat.evals.scenario import EvalScenarioFile

from evals.scenarios.format import find, read
from evals.scenarios.keys import HANDBOOK
from tests.evals.scenarios.given import read_text, scenario, written

WHOLE = """\
name: tried
x_jarvis: {version: 1, tiers: [text, audio]}
x_never_says: ["unicorn"]
scenarios:
  - name: one
    turns:
      - user: Hello.
        expect: [{event: response}]
        x_says: ["hello"]
  - name: two
    x_never_says: ["dragon"]
    x_pending: no dragons yet
    turns:
      - user: Hello.
        expect: [{event: response}]
"""


def test_a_scenario_has_its_own_keys_before_those_of_the_file(tmp_path: Path):
    one, two = read_text(tmp_path, WHOLE).scenarios
    assert (one.name, two.name) == ("tried/one", "tried/two")
    assert (one.keys.x_never_says, two.keys.x_never_says) == (["unicorn"], ["dragon"])
    assert (one.keys.x_jarvis.tiers, two.keys.x_jarvis.tiers) == (["text", "audio"], ["text", "audio"])
    assert (one.keys.x_pending, two.keys.x_pending) == (None, "no dragons yet")
    assert one.turns[0].x_says == ["hello"]


def test_each_key_is_placed_where_it_is_written(tmp_path: Path):
    one, two = read_text(tmp_path, WHOLE).scenarios
    lines = [one.place("x_never_says").line, two.place("x_never_says").line, one.place("turns", 0, "x_says").line]
    assert lines == [3, 11, 9]
    assert (one.place().line, two.place().line) == (5, 10)


def test_the_stock_tool_reads_the_same_file(tmp_path: Path):
    file = written(tmp_path, WHOLE)
    assert [each.name for each in EvalScenarioFile.load(file)] == [each.name for each in read(file).scenarios]


def test_the_documents_are_the_samples_where_none_are_named(tmp_path: Path):
    assert read_text(tmp_path, WHOLE).scenarios[0].knowledge == HANDBOOK
    assert scenario(tmp_path).knowledge == tmp_path / "documents"


def test_a_recording_lies_beside_the_file(tmp_path: Path):
    assert scenario(tmp_path, "x_recording: ../a.flac").recording(0) == tmp_path.parent / "a.flac"


@pytest.mark.parametrize(
    ("line", "told", "at"),
    [
        ("x_says: hello", "x_says: input should be a valid list", 11),
        ("x_supported: false", "x_supported: input should be True", 11),
        ("x_refuses: 'no'", "x_refuses: input should be a valid boolean", 11),
        ("x_retrieval: {must: [Workshop], mst: [x]}", "x_retrieval.mst: there is no such key", 11),
        ("x_retrieval: {}", "x_retrieval: it asks for nothing", 11),
        ("x_retrieval: {nothing: true, must: [Workshop]}", "x_retrieval: `nothing` stands alone", 11),
        ("x_never_says: ['.*']", "x_never_says.0: it matches everything", 11),
        ("x_never_says:\n          - fine\n          - '('", "x_never_says.1: it is no regular expression", 13),
        ("send_after: {}", "turn #1 'send_after:' needs an 'event:'", 10),
        ("dtmf: '1'", "turn #1 has both 'user:' and 'dtmf:'", 10),
        ("audio: a.wav", "set 'user.modality: audio'", 10),
    ],
)
def test_a_wrong_turn_is_told_by_its_line(tmp_path: Path, line: str, told: str, at: int):
    text = (
        "name: tried\nscenarios:\n  - name: one\n    turns:\n      - user: Hello.\n        expect: []\n"
        f"  - name: two\n    turns:\n      - expect: []\n      - user: Hello.\n        {line}\n"
    )
    (complaint,) = read_text(tmp_path, text).complaints
    assert told in complaint.text
    assert complaint.place.line == at


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("x_jarvis: {version: 2}", "x_jarvis.version: input should be 1"),
        ("x_jarvis: {version: 1, tiers: [fax]}", "x_jarvis.tiers.0: input should be 'text', 'audio' or 'webrtc'"),
        ("x_jarvis: {version: 1, tiers: []}", "x_jarvis.tiers: list should have at least 1 item"),
        ("x_jarvis: {version: 1, settings: {PATH: x}}", "string should match pattern"),
        ("x_jarvis: {version: 1, settings: {JARVIS_IDLE_SECS: 3}}", "input should be a valid string"),
        ("x_state: [{sql: 'delete from calls', equals: 0}]", "x_state.0.sql: string should match pattern"),
        ("x_measure: {}", "x_measure: it limits nothing"),
        ("x_measure: {v2v_ms: 0}", "x_measure.v2v_ms: input should be greater than 0"),
        ("x_faults: [{turn: 0, stage: llm, fault: sulk}]", "x_faults.0.fault: input should be"),
        ("x_privacy: {patterns: ['']}", "x_privacy.patterns.0: string should have at least 1 character"),
    ],
)
def test_a_wrong_key_of_the_file_is_told_by_its_line(tmp_path: Path, keys: str, told: str):
    text = f"name: tried\n\n{keys}\nscenarios:\n  - name: one\n    turns: [{{user: Hello., expect: []}}]\n"
    (complaint,) = read_text(tmp_path, text).complaints
    assert told in complaint.text
    assert complaint.place.line == 3


def test_what_pipecat_only_warns_of_is_wrong(tmp_path: Path):
    text = "name: tried\nturns:\n  - user: Hello.\n    expect:\n      - {event: llm_started, eval: nice}\n"
    old, odd = sorted(each.text for each in read_text(tmp_path, text).complaints)
    assert "deprecated" in old
    assert "judge only makes sense" in odd


def test_a_simulated_caller_is_told_and_the_others_are_read(tmp_path: Path):
    simulated = "  - {name: sim, persona: a, goal: b, success: c}\n"
    found = read_text(tmp_path, WHOLE + simulated)
    assert [each.scenario for each in found.complaints] == ["tried/sim"]
    assert [each.name for each in found.scenarios] == ["tried/one", "tried/two"]


@pytest.mark.parametrize("text", ["", "- a\n", "name: tried\n", "name: tried\nscenarios: 3\n", "scenarios: [1]\n"])
def test_a_file_of_something_else_is_a_complaint(tmp_path: Path, text: str):
    found = read_text(tmp_path, text)
    assert found.scenarios == ()
    assert len(found.complaints) == 1


def test_a_folders_scenarios_are_found_and_the_parts_that_they_include_are_not(tmp_path: Path):
    whole = written(tmp_path, WHOLE)
    written(tmp_path, "modality: text\n", name="judge.yaml")
    broken = written(tmp_path, "name: [\n", name="broken.yml")
    assert find([tmp_path]) == [broken, whole]
