from functools import cache

import numpy as np
import pytest

from knowledge.gate import PROTOTYPES, Evidence, Gate, form
from knowledge.types import Verdict

SIDES = 8


def words_only(question: str) -> Evidence:
    return Evidence(question, vector=None, has_history=False, top_similarity=None, word_coverage=0.0)


@cache
def made_up_prototypes() -> np.ndarray:
    vectors = np.random.default_rng(1).normal(size=(len(PROTOTYPES), SIDES))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def gate() -> Gate:
    return Gate(prototypes=made_up_prototypes())


@pytest.mark.parametrize(
    "question",
    [
        "parking?",
        "refunds",
        "opening hours",
        "price of a city bike",
        "And on Sundays?",
        "and on sundays",
        "how much is it",
        "uh so the wifi is that free",
        "Hi there, good morning. Do you repair shoes?",
        "i'd like to know whether you ship to norway",
        "What if I need it tomorrow?",
    ],
)
def test_a_question_is_looked_up_even_where_only_its_words_are_known(gate: Gate, question: str) -> None:
    assert gate.verdict(words_only(question)) is Verdict.FOUND


@pytest.mark.parametrize(
    "question",
    [
        "Hello!",
        "thank you so much",
        "okay great",
        "Could you repeat that, please?",
        "hold on one moment",
        "book it for three people on friday",
    ],
)
def test_what_needs_no_documents_is_told_by_its_words_alone(gate: Gate, question: str) -> None:
    assert gate.verdict(words_only(question)) is Verdict.SMALL_TALK


def test_nothing_in_the_collection_near_a_question_puts_it_off_topic(gate: Gate) -> None:
    evidence = Evidence("Who won the cup in nineteen sixty?", None, False, top_similarity=-0.5, word_coverage=0.1)
    assert gate.verdict(evidence) is Verdict.OFF_TOPIC


def test_a_window_that_holds_the_words_keeps_a_question_on_topic(gate: Gate) -> None:
    evidence = Evidence("Who won the cup in nineteen sixty?", None, False, top_similarity=-0.5, word_coverage=0.5)
    assert gate.verdict(evidence) is Verdict.FOUND


def test_being_like_the_questions_counts_for_a_turn(gate: Gate) -> None:
    like_a_question, like_small_talk = made_up_prototypes()[0], made_up_prototypes()[-1]
    asked = Evidence("the blue one", like_a_question, True, None, 0.0)
    chatted = Evidence("the blue one", like_small_talk, True, None, 0.0)
    assert gate.logit(asked) > gate.logit(chatted)


def test_another_range_of_cosines_changes_nothing() -> None:
    # One more direction that all texts share lifts every cosine and presses them together.
    def lifted(vectors: np.ndarray) -> np.ndarray:
        return np.concatenate([vectors * 0.5**0.5, np.full((*vectors.shape[:-1], 1), 0.5**0.5)], axis=-1)

    vector = made_up_prototypes()[3]
    plain = Gate(prototypes=made_up_prototypes()).signs(Evidence("dogs", vector, False, 0.4, 0.0))
    pressed = Gate(prototypes=lifted(made_up_prototypes())).signs(Evidence("dogs", lifted(vector), False, 0.7, 0.0))
    assert pressed == pytest.approx(plain, abs=1e-6)


@pytest.mark.parametrize("question", ["", "?", "...", "a " * 2_000])
def test_any_words_have_a_form(question: str) -> None:
    assert all(np.isfinite(value) for value in form(question).values())


def test_vectors_of_other_prototypes_are_refused() -> None:
    with pytest.raises(ValueError, match="prototypes"):
        Gate(prototypes=np.eye(3))


def test_the_prototypes_differ() -> None:
    assert len(set(PROTOTYPES)) == len(PROTOTYPES)
