"""What the answers to a simulated caller must come to."""

from pathlib import Path

from evals.scenarios.observed import Cited, Observed, ObservedTurn
from evals.simulated.outcome import outcome
from tests.evals.simulated.given import played

PASSAGE = "Repairing a flat tire costs 18 dollars. It takes 30 minutes."
CITED = (Cited("Workshop", "It costs 18 dollars.", PASSAGE),)
GREETING = ObservedTurn(said="Hello, this is Jarvis.")
ANSWERS = (
    GREETING,
    ObservedTurn("What does it cost?", "", "It costs 18 dollars. That's from the workshop page.", cited=CITED),
    ObservedTurn("And how long?", "", "It takes 30 minutes."),
)


def test_it_does_not_matter_in_which_turn_a_thing_is_said(tmp_path: Path):
    scenario = played(
        tmp_path, "    x_says: [18 dollars, 30 minutes]\n    x_source: [Workshop]\n    x_supported: true\n"
    )
    assert outcome(scenario, Observed(turns=ANSWERS)) == []


def test_what_is_never_said_is_told_at_its_line(tmp_path: Path):
    (failure,) = outcome(played(tmp_path, "    x_says: [99 dollars]\n"), Observed(turns=ANSWERS))
    assert (failure.turn, failure.check, failure.place.line) == (None, "x_says", 12)


def test_what_no_passage_says_is_told(tmp_path: Path):
    turns = (*ANSWERS, ObservedTurn("And tomorrow?", "", "It costs 77 dollars tomorrow."))
    (failure,) = outcome(played(tmp_path, "    x_supported: true\n"), Observed(turns=turns))
    assert (failure.check, "77 dollars" in failure.reason) == ("x_supported", True)


def test_one_question_must_be_refused_and_kept(tmp_path: Path):
    scenario = played(tmp_path, "    x_refuses: true\n")
    refused = ObservedTurn("Is there a pool?", "", "I could not find it in the documents.")
    assert outcome(scenario, Observed(turns=(*ANSWERS, refused), gaps=("Is there a pool?",))) == []
    checks = {each.check for each in outcome(scenario, Observed(turns=(*ANSWERS, refused)))}
    assert checks == {"x_refuses"}


def test_what_may_never_be_said_is_told_of_its_turn(tmp_path: Path):
    scenario = played(tmp_path, "    x_says: [18 dollars]\n    x_never_says: [minutes]\n")
    (failure,) = outcome(scenario, Observed(turns=ANSWERS))
    assert (failure.turn, failure.check) == (2, "x_never_says")
