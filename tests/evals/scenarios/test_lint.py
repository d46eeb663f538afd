"""What is wrong with a scenario that could be read."""

import inspect
import re
from pathlib import Path

import pytest
from pipecat.evals import script, simulation

from evals.scenarios.format import read
from evals.scenarios.lint import EXPECTATION, SCRIPT, SEND_AFTER, SIMULATION, TURN, lint
from tests.evals.scenarios.given import written

SCENARIO = "name: tried\nx_jarvis: {version: 1, knowledge: documents}\nscenarios:\n  - name: one\n    turns:\n"
GREETED = "      - expect: [{event: response}]\n"


def told(folder: Path, text: str) -> list[str]:
    """Each complaint with its line."""
    return [f"{each.place.line}: {each.text}" for each in lint(read(written(folder, text)))]


def of_turn(folder: Path, turn: str) -> list[str]:
    """What is said of a turn that begins in line 6."""
    return told(
        folder, SCENARIO + "      - user: Hello.\n" + "".join(f"        {line}\n" for line in turn.splitlines())
    )


def of_keys(folder: Path, keys: str, *, jarvis: str = "") -> list[str]:
    """What is said of keys of the file, in line 3."""
    text = f"name: tried\nx_jarvis: {{version: 1, knowledge: documents{jarvis}}}\n{keys}\nscenarios:\n"
    return told(folder, text + "  - name: one\n    turns:\n      - user: Hello.\n        expect: [{event: response}]\n")


def test_a_good_scenario_is_not_complained_of(tmp_path: Path):
    keys = "expect: [{event: response, text_contains: hi, within_ms: 900}]\nx_source: [Workshop]\nx_supported: true"
    assert of_turn(tmp_path, keys) == []


@pytest.mark.parametrize(
    ("turn", "complaint"),
    [
        ("expct: []\nexpect: [{event: response}]", "7: 'expct' is no key here; is it 'expect'?"),
        ("expect: [{event: response, text_contain: x}]", "7: 'text_contain' is no key here; is it 'text_contains'?"),
        ("expect: [{event: response, x_says: [x]}]", "7: 'x_says' is no key here"),
        ("expect: [{event: respnse}]", "7: there is no event 'respnse'; is it 'response'?"),
        ("expect: [{event: response, text_contains: ' '}]", "7: text_contains is empty, so it says nothing"),
        ("expect: [{event: response, text_contains: 3}]", "7: text_contains must be a text; put it in quotes"),
        ("expect: [{event: llm_started, text_excludes: x}]", "7: llm_started has no text"),
        ("expect: [{event: response, name: x}]", "7: name is of a function call, and response is none"),
        ("expect: [{event: response, within_ms: 60001}]", "7: within_ms is above 60,000"),
        ("expect: [{event: response, within_ms: soon}]", "7: within_ms must be a whole number"),
        ("expect: [{event: llm_started, absent: true}]", "7: absent without within_ms waits for 60 seconds"),
        ("expect: [{event: response, eval: nice}]", "7: no model judges `eval` offline"),
        ("expect: [{event: vad_user_started_speaking}]", "7: vad_user_started_speaking needs a spoken call"),
        ("expect: [{event: response}]\nx_sorce: [x]", "8: 'x_sorce' is no key here; is it 'x_source'?"),
        ("expect: [{event: response}]\nx_hears: Hello.", "8: x_hears is of a spoken call"),
        ("expect: [{event: response}]\nx_recording: a.flac", "8: a.flac is missing"),
        ("expect: [{event: response}]\nx_phrase: 18 dollars", "8: x_phrase is for a language model's double"),
        ("expect: [{event: response}]\nx_writes: 'It is 7.'", "8: x_writes is written with the source"),
        ("expect: [{event: response}]\nx_recalls: true", "8: x_recalls is for a language model's double"),
        ("expect: [{event: response}]\nx_calls: {end_call: {}}", "8: x_calls is for a language model's double"),
        ("expect: [{event: response}]\nx_change: {}", "8: it changes nothing"),
        ("expect: [{event: response}]\nx_voice: marin", "8: x_voice is of a spoken call"),
        ("expect: [{event: response}]\nx_voice: marin", "8: only doubles are known by their tone"),
        ("expect: [{event: response}]\nx_says: ['!']", "8: it has no word, so it is always said"),
        (
            "expect: [{event: response}]\nx_source: [Workshp]",
            "8: no document has the title 'Workshp'; is it 'Workshop'?",
        ),
        ("expect: [{event: response}]\nx_retrieval: {must_not: [Old prices]}", "8: no document has the title"),
        ("expect: [{event: response}]\nx_source: []\nx_supported: true", "9: an answer without a source has nothing"),
        ("expect: [{event: llm_started}]\nx_says: [x]", "8: x_says is of an answer: add `expect:"),
        ("send_after: {event: nod, delay: 3}\nexpect: [{event: response}]", "7: 'delay' is no key here"),
    ],
)
def test_what_is_wrong_with_a_turn_is_told_by_its_line(tmp_path: Path, turn: str, complaint: str):
    assert any(each.startswith(complaint) for each in of_turn(tmp_path, turn))


@pytest.mark.parametrize(
    ("keys", "jarvis", "complaint"),
    [
        ("x_pendin: later", "", "3: 'x_pendin' is no key here; is it 'x_pending'?"),
        ("judge: {modalty: text}", "", "3: 'modalty' is no key here; is it 'modality'?"),
        ("context: [{role: system}]", "", "3: a message of the context needs `role` and `content`"),
        ("x_measure: {v2v_ms: 900}", "", "3: x_measure is of a spoken call"),
        ("x_privacy: {patterns: ['7777']}", "", "3: it matches nothing that is said or known in this scenario"),
        ("x_faults: [{turn: 0, stage: llm, fault: stall}]", "", "3: only doubles fail when they are told"),
        ("x_faults: [{turn: 1, stage: llm, fault: stall}]", ", providers: doubles", "3: nothing is asked in turn 1"),
        ("x_faults: [{turn: 0, stage: tts, fault: stall}]", ", providers: doubles", "3: tts is of a spoken call"),
        (
            "user: {modality: audio, speech: {factory: a.b}}",
            "",
            "2: a scenario in audio modality can't be held as text",
        ),
    ],
)
def test_what_is_wrong_with_the_whole_is_told_by_its_line(tmp_path: Path, keys: str, jarvis: str, complaint: str):
    assert any(each.startswith(complaint) for each in of_keys(tmp_path, keys, jarvis=jarvis))


def test_a_pattern_that_a_document_has_may_be_private(tmp_path: Path):
    assert of_keys(tmp_path, "x_privacy: {patterns: ['4111 1111']}") == []


def test_what_expects_nothing_cant_fail(tmp_path: Path):
    assert of_turn(tmp_path, "x_recording: ''\n") != []
    assert told(tmp_path, SCENARIO + "      - user: Hello.\n") == ["5: no turn expects anything, so it can't fail"]


def test_a_folder_of_documents_that_is_missing_is_told(tmp_path: Path):
    text = SCENARIO.replace("documents", "nowhere") + GREETED
    assert told(tmp_path, text) == ["2: the folder nowhere is missing"]


def test_all_that_is_wrong_is_told_at_once_in_the_order_of_its_lines(tmp_path: Path):
    found = of_turn(tmp_path, "expect: [{event: respnse}]\nx_says: 3\nx_sorce: [x]")
    assert [each.partition(":")[0] for each in found] == sorted(each.partition(":")[0] for each in found)
    assert len(found) >= 3


@pytest.mark.parametrize(
    ("function", "variable", "known"),
    [
        (script._parse_script, "data", SCRIPT),
        (script._parse_turn, "t", TURN),
        (script._parse_expectation, "e", EXPECTATION),
        (script._parse_function_calls, "e", EXPECTATION),
        (script._parse_send_after, "s", SEND_AFTER),
        (simulation._parse_simulation, "data", SIMULATION),
    ],
)
def test_the_keys_are_those_that_pipecat_reads(function: object, variable: str, known: frozenset[str]):
    read = set(re.findall(rf'\b{variable}\.get\("(\w+)"', inspect.getsource(function)))  # type: ignore[arg-type]
    assert read
    assert read <= known


def test_who_answers_is_a_file_that_is_there(tmp_path: Path):
    (tmp_path / "shop.toml").write_text('name = "Ada"')
    assert of_keys(tmp_path, "x_never_says: [Jarvis]", jarvis=", persona: shop.toml") == []
    assert of_keys(tmp_path, "x_never_says: [Jarvis]", jarvis=", persona: gone.toml") == [
        "2: the file gone.toml is missing"
    ]
