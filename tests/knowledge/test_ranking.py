import numpy as np
import pytest

from knowledge.ranking import dense_weights, fuse, lexical_weights, mix, recent
from knowledge.types import Turn


def test_each_leg_is_stretched_between_its_worst_and_best() -> None:
    fused = fuse([(0.5, {1: 0.9, 2: 0.8, 3: 0.7}), (0.5, {1: 0.0, 2: 20.0, 3: 10.0})])
    assert fused == pytest.approx({1: 0.5, 2: 0.75, 3: 0.25})


def test_the_best_in_every_leg_scores_one() -> None:
    assert fuse([(0.65, {1: 0.9, 2: 0.1}), (0.35, {1: 4.0, 2: 0.0})])[1] == pytest.approx(1.0)


@pytest.mark.parametrize(("score", "fused"), [(0.4, 1.0), (0.0, 0.0)])
def test_candidates_that_a_leg_does_not_tell_apart_are_all_its_best_unless_zero(score: float, fused: float) -> None:
    assert fuse([(1.0, {1: score, 2: score})]) == {1: fused, 2: fused}


def test_a_candidate_unknown_to_a_leg_has_its_worst_score() -> None:
    assert fuse([(0.5, {1: 1.0, 2: 0.0}), (0.5, {1: 2.0, 3: 1.0})])[2] == 0.0


def test_no_candidates_fuse_to_none() -> None:
    assert fuse([(0.65, {}), (0.35, {})]) == {}


HISTORY = [Turn("user", "a"), Turn("assistant", "b"), Turn("user", "c"), Turn("assistant", "d")]


def test_earlier_turns_weigh_less_and_the_assistants_least() -> None:
    assert dense_weights(HISTORY) == pytest.approx([0.147, 0.0441, 0.21, 0.063])
    assert lexical_weights(HISTORY) == pytest.approx([0.192, 0.0576, 0.24, 0.072])


def test_only_the_beginning_of_the_last_turns_with_words_counts() -> None:
    history = [*HISTORY, *HISTORY, Turn("user", " "), Turn("user", "word " * 40)]
    assert recent(history) == [*HISTORY[-1:], *HISTORY, Turn("user", " ".join(["word"] * 30))]


def test_mixing_keeps_the_vector_at_unit_length() -> None:
    mixed = mix(np.array([1.0, 0.0]), np.array([[0.0, 1.0]]), [1.0])
    assert mixed == pytest.approx([0.5**0.5, 0.5**0.5])
