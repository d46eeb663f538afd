"""Whether a turn stands alone, and how turns are mixed."""

import math

import pytest

from bot.extractive.question import Question, mixed, question

BEFORE = "What does a city bike cost for a day?"


@pytest.mark.parametrize(
    "turn",
    ["And an electric one?", "What about Sundays?", "And what if it was on sale?", "Do I have to stay there with him?",
     "Why?", "Is that insured?"],
)  # fmt: skip
def test_a_turn_that_says_little_leans_on_the_one_before(turn: str):
    assert question([BEFORE, turn]) == Question(turn, (BEFORE,))


@pytest.mark.parametrize(
    "turn",
    ["Do you sell gift cards?", "How long does standard delivery to Texas take?",
     "And how much is the weekly deposit for an electric bicycle?"],
)  # fmt: skip
def test_a_turn_that_says_enough_stands_alone(turn: str):
    assert question([BEFORE, turn]) == Question(turn)


def test_it_leans_on_two_turns_the_latest_first():
    assert question(["First?", "Second?", "Third?", "Why?"]).earlier == ("Third?", "Second?")


def test_earlier_turns_count_less():
    weights = Question("Why?", ("Third?", "Second?")).weights
    assert weights == sorted(weights, reverse=True)


def test_a_single_turn_is_not_mixed():
    assert mixed([1.0], [[1.0, 0.3, 0.7]]) == [0.3, 0.7]


def test_a_mixture_has_the_cosines_of_the_mixed_vectors():
    """Of two turns at right angles, a sentence alike to both is nearer to the mixture than to either."""
    half = math.sqrt(0.5)
    (similarity,) = mixed([1.0, 1.0], [[1.0, 0.0, half], [0.0, 1.0, half]])
    assert similarity == pytest.approx(1.0)
