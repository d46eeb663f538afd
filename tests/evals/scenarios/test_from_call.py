"""Scenarios that are made of calls."""

from pathlib import Path

import yaml

from evals.scenarios.format import read
from evals.scenarios.from_call import PENDING, Exchange, Said, exchanges, scenario_of
from evals.scenarios.lint import lint

GREETING = Said("assistant", "This is Jarvis.")
PUNCTURE = Exchange("What does a puncture cost?", "It costs 18 dollars.", ("Workshop",))


def written(folder: Path, *asked: Exchange) -> Path:
    file = folder / "made.yaml"
    file.write_text(scenario_of("6f1c0b8e5d2a4c79", asked).text)
    return file


def test_an_answer_is_of_what_the_caller_said_before_it():
    said = [GREETING, Said("user", "A."), Said("user", "B?"), Said("assistant", "C.", ("T",))]
    assert exchanges([*said, Said("assistant", "D.", ("T", "U"))]) == [
        Exchange("A."), Exchange("B?", "C. D.", ("T", "U")),
    ]  # fmt: skip


def test_a_scenario_can_be_held_as_it_is_made(tmp_path: Path):
    asked = (Exchange("- A: {b}, 'c' # \"d\"\n012"), PUNCTURE, Exchange("And a unicycle?", "I couldn't find that."))
    file = read(written(tmp_path, *asked))
    assert lint(file) == []
    (scenario,) = file.scenarios
    assert (scenario.name, scenario.keys.x_pending) == ("call_6f1c0b8e/turn_3", PENDING)
    assert [turn.user for turn in scenario.stock.turns] == [None, *(each.user for each in asked)]
    assert [len(turn.expect) for turn in scenario.stock.turns] == [1, 0, 1, 1]


def test_the_sources_of_an_answer_must_be_found_and_named(tmp_path: Path):
    keys = read(written(tmp_path, PUNCTURE, PUNCTURE)).scenarios[0].turns
    assert [each.x_source for each in keys] == [None, ["Workshop"], ["Workshop"]]
    assert [each.x_retrieval.must for each in keys if each.x_retrieval] == [["Workshop"]] * 2
    assert [each.x_supported for each in keys] == [None, None, True]


def test_a_question_without_an_answer_must_be_kept_as_a_gap(tmp_path: Path):
    keys = read(written(tmp_path, Exchange("A unicycle?", "I couldn't find that."))).scenarios[0].turns[1]
    assert keys.checks == ["x_refuses"]


def test_an_apology_is_no_answer_to_ask_for(tmp_path: Path):
    keys = read(written(tmp_path, Exchange("Tires?", "I can't look things up right now."))).scenarios[0].turns[1]
    assert keys.checks == []


def test_the_last_turn_must_be_answered_though_it_was_not(tmp_path: Path):
    assert read(written(tmp_path, Exchange("Hello?"))).scenarios[0].stock.turns[1].expect


def test_numbers_are_replaced_and_answers_are_not_written():
    made = scenario_of("6f1c0b8e5d2a4c79", [Exchange("I am on 555 0187.", "Zebediah, thank you.")])
    assert made.replaced == 1
    assert yaml.safe_load(made.text)["scenarios"][0]["turns"][1]["user"] == "I am on 555 0100."
    assert "Zebediah" not in made.text


def test_other_documents_are_named():
    assert yaml.safe_load(scenario_of("6f1c", [PUNCTURE], knowledge="../docs").text)["x_jarvis"] == {
        "version": 1, "knowledge": "../docs",
    }  # fmt: skip
