"""The sentences that answer: chosen by meaning, by words, and by the kind of answer the question expects."""

from collections.abc import Sequence

import pytest

from bot.extractive.choice import COMPANION_MARGIN, MAX_WORDS, MIN_SCORE, Candidate, choose
from bot.extractive.sentences import Sentence


def candidates(*rows: tuple[str, float | None], numbers: Sequence[int] = ()) -> list[Candidate]:
    """Candidates of passage 1, or of the passages in `numbers`."""
    return [
        Candidate(Sentence(text, numbers[i] if numbers else 1, i), similarity)
        for i, (text, similarity) in enumerate(rows)
    ]


def chosen(question: str, *rows: tuple[str, float | None], numbers: Sequence[int] = ()) -> list[str]:
    return [s.text for s in choose(question, candidates(*rows, numbers=numbers))]


def test_the_sentence_nearest_in_meaning_is_chosen():
    assert chosen("Is it open?", ("We sell bikes.", 0.3), ("The doors are unlocked.", 0.7)) == [
        "The doors are unlocked."
    ]


def test_of_two_as_near_the_one_with_the_questions_words_comes_first():
    rows = ("Battery charging is fast.", 0.5), ("The warranty covers batteries.", 0.5)
    assert "The warranty covers batteries." in chosen("Is there a battery warranty?", *rows)


@pytest.mark.parametrize(
    ("question", "answer", "other"),
    [
        ("How much is a rental?", "A rental is 40 dollars.", "A rental is great fun."),
        ("How long does it take?", "It takes three weeks.", "It takes patience."),
        ("When do you open?", "We open on Monday.", "We open with joy."),
        ("How old must I be?", "You must be sixteen or 16.", "You must be careful."),
        ("How far do you deliver?", "We deliver up to 100 miles.", "We deliver gladly."),
    ],
)
def test_a_sentence_with_the_kind_of_answer_that_was_asked_for_wins(question: str, answer: str, other: str):
    assert chosen(question, (other, 0.52), (answer, 0.5), numbers=(1, 2)) == [answer]


@pytest.mark.parametrize("similarity", [None, MIN_SCORE - 0.01])
def test_nothing_is_chosen_when_nothing_supports_an_answer(similarity: float | None):
    assert chosen("Do you sell scooters?", ("Our garden has roses.", similarity)) == []


def test_no_candidates_choose_nothing():
    assert choose("Anything?", []) == []


def test_at_most_three_sentences_are_chosen():
    rows = [(f"Sentence number {name}.", 0.6) for name in ("alpha", "beta", "gamma", "delta", "epsilon")]
    assert len(chosen("Tell me.", *rows)) == 3


def test_chosen_sentences_stand_in_the_order_of_their_passage():
    rows = ("First you pay.", 0.6), ("Then you ride.", 0.65), ("The weather is fine.", 0.1), ("Last you return.", 0.62)
    assert chosen("Tell me.", *rows) == ["First you pay.", "Then you ride.", "Last you return."]


def test_sentences_of_another_passage_are_left_out():
    rows = ("First.", 0.6), ("Second.", 0.6)
    assert chosen("Tell me.", *rows, numbers=(1, 2)) == ["First."]


def test_a_sentence_much_weaker_than_the_best_is_left_out():
    rows = ("Strong.", 0.6), ("Weak.", 0.6 - COMPANION_MARGIN - 0.01)
    assert chosen("Tell me.", *rows) == ["Strong."]


def test_an_answer_grows_no_longer_than_can_be_listened_to():
    rows = ("Short and good.", 0.6), (" ".join(["word"] * MAX_WORDS), 0.59), ("Short as well.", 0.58)
    assert chosen("Tell me.", *rows) == ["Short and good.", "Short as well."]


def test_without_similarities_words_decide():
    rows = ("Our garden has roses.", None), ("A puncture costs 18 dollars to repair.", None)
    assert chosen("What does repairing a puncture cost?", *rows) == ["A puncture costs 18 dollars to repair."]
