"""What a drill came to."""

from dataclasses import replace

import pytest

from bot.wording.table import wording
from evals.drill.measure import DrillTurn, Verdict, summary, verdict
from evals.drill.scenarios import Kind

ENGLISH = wording("en")

ANSWER = "Club rides leave every Wednesday."
GOOD = DrillTurn("stt", "stall", Kind.GOOD, Verdict.ONCE, silence_ms=900.0, gap_ms=0.0, by_first=True)
FAULTY = replace(GOOD, kind=Kind.FAULTY, silence_ms=1_500.0, by_first=False)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (ANSWER, Verdict.ONCE),
        (f"{ANSWER} That's from the membership page.", Verdict.ONCE),
        (f"{ENGLISH.only_me} {ANSWER}", Verdict.ONCE),
        ("Club rides leave", Verdict.WRONG),
        ("The shop is closed.", Verdict.WRONG),
        (f"{ANSWER} {ANSWER}", Verdict.REPEATED),
        ("Club rides leave club rides leave every Wednesday.", Verdict.REPEATED),
        (f"{ANSWER} The shop is closed.", Verdict.WRONG),
        ("", Verdict.LOST),
    ],
)
def test_an_answer_must_come_once_whole_and_right(said: str, found: Verdict):
    assert verdict(said, ANSWER, answered=True) is found


def test_what_was_told_but_not_heard_is_lost():
    assert verdict(ANSWER, ANSWER, answered=False) is Verdict.LOST


def goals(*turns: DrillTurn) -> dict[str, tuple[str, bool]]:
    return {goal.name: (goal.found, goal.met) for goal in summary(turns).goals}


def test_extra_silence_is_what_comes_on_top_of_a_good_turn():
    assert summary([GOOD, FAULTY, GOOD]).rows[0].extra_p95_secs == 0.6


def test_what_is_usual_is_that_of_the_same_question():
    slow = replace(GOOD, question="q08", silence_ms=2_500.0)
    assert (
        summary([GOOD, GOOD, slow, replace(FAULTY, question="q08", silence_ms=2_600.0)]).rows[0].extra_p95_secs == 0.1
    )


def test_a_silence_within_the_answer_counts_like_one_before_it():
    gap = replace(FAULTY, silence_ms=900.0, gap_ms=2_000.0)
    assert goals(GOOD, gap)["p95 of extra silence, stt: ≤ 1.0 s"] == ("2.0 s", False)


def test_a_turn_that_another_vendor_had_does_not_say_what_is_usual():
    assert summary([GOOD, replace(GOOD, silence_ms=3_000.0, by_first=False)]).good_silence_secs == 0.9


@pytest.mark.parametrize("lost", [Verdict.LOST, Verdict.WRONG, Verdict.REPEATED])
def test_one_turn_that_is_not_answered_once_misses_the_goal(lost: Verdict):
    assert goals(GOOD, replace(FAULTY, verdict=lost))["turns lost, wrong or repeated: 0"] == ("1 of 2", False)


def test_the_vendor_must_have_the_first_turn_in_which_it_works_again():
    found = goals(GOOD, FAULTY, GOOD, FAULTY, replace(GOOD, by_first=False), GOOD)
    assert found["the first vendor is back within a turn"] == ("1 of 2", False)


def test_while_its_circuit_rests_it_need_not():
    resting = replace(GOOD, kind=Kind.RESTING, by_first=False)
    found = goals(GOOD, FAULTY, resting, replace(resting, rested=True, by_first=True), resting)
    assert found["the first vendor is back within a turn"] == ("1 of 1", True)


@pytest.mark.parametrize(("noticed", "met"), [(1_400.0, True), (1_600.0, False), (None, False)])
def test_a_connection_that_stands_still_must_be_noticed_each_time(noticed: float | None, met: bool):
    still = replace(FAULTY, fault="half_open", noticed_ms=noticed)
    assert goals(GOOD, still)["a connection that stands still is noticed: ≤ 1.5 s"][1] is met


def test_a_drill_without_a_good_turn_measures_no_silence():
    assert summary([FAULTY]).rows[0].extra_p95_secs is None
