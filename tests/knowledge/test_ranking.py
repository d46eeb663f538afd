import numpy as np
import pytest

from knowledge.ranking import (
    FIRST_WEIGHTS,
    FOLLOW_UP_WEIGHTS,
    dense_weights,
    fuse,
    lexical_weights,
    mix,
    parts,
    recent,
    shortened,
    stretch,
)
from knowledge.terms import Leg
from knowledge.types import LegScore, Turn

Scores = dict[Leg, dict[int, float]]

NONE: Scores = {"words": {}, "letters": {}, "sounds": {}}
WEIGHTS: dict[Leg, float] = {"words": 0.2, "letters": 0.15, "sounds": 0.15}


@pytest.mark.parametrize(
    ("scores", "stretched"),
    [
        ({}, {}),
        ({1: 3.0}, {1: 1.0}),
        ({1: 0.0}, {1: 1.0}),
        ({1: 2.0, 2: 2.0}, {1: 1.0, 2: 1.0}),
        ({1: 20.0, 2: 10.0, 3: 15.0}, {1: 1.0, 2: 0.0, 3: 0.5}),
        ({1: -1.0, 2: 1.0}, {1: 0.0, 2: 1.0}),
    ],
)
def test_scores_are_stretched_between_the_worst_and_the_best(
    scores: dict[int, float], stretched: dict[int, float]
) -> None:
    assert stretch(scores) == stretched


@pytest.mark.parametrize(
    ("dense", "lexical", "fused"),
    [
        ({}, NONE, {}),
        ({1: 0.8}, NONE, {1: 0.8 / 1.5}),
        ({1: 1.0}, {leg: {1: 7.0} for leg in WEIGHTS}, {1: 1.0}),
        ({1: -0.4, 2: 0.0}, NONE, {1: 0.0, 2: 0.0}),
        # Without meaning, words alone give an order.
        ({}, NONE | {"words": {1: 9.0, 2: 3.0}}, {1: 0.2 / 1.5, 2: 0.0}),
        # What only words brought is as near as the last that meaning brought.
        ({1: 0.8, 2: 0.4}, NONE | {"words": {3: 9.0}}, {1: 0.8 / 1.5, 2: 0.4 / 1.5, 3: (0.4 + 0.2) / 1.5}),
        ({1: 0.5}, NONE | {"letters": {2: 5.0}, "sounds": {2: 1.0}}, {1: 0.5 / 1.5, 2: (0.5 + 0.3) / 1.5}),
    ],
)
def test_legs_are_fused_by_their_weights(dense: dict[int, float], lexical: Scores, fused: dict[int, float]) -> None:
    assert fuse(dense, lexical, {}, weights=WEIGHTS, title_weight=0.0) == pytest.approx(fused)


def test_a_leg_that_was_not_asked_takes_no_part() -> None:
    lexical: Scores = {"words": {1: 9.0}}
    assert fuse({2: 0.0}, lexical, {}, weights=WEIGHTS, title_weight=0.0) == pytest.approx({1: 0.2 / 1.2, 2: 0.0})


def test_the_words_of_a_follow_up_count_less() -> None:
    first, later = (
        fuse({2: 0.0}, {"words": {1: 9.0}}, {}, weights=weights, title_weight=0.0)[1]
        for weights in (FIRST_WEIGHTS, FOLLOW_UP_WEIGHTS)
    )
    assert 0 < later < first


@pytest.mark.parametrize(
    ("title_weight", "fused"),
    [(0.0, {1: 0.6 / 1.5, 2: 0.5 / 1.5}), (0.5, {1: 0.6 / 2, 2: 1.0 / 2}), (1.0, {1: 0.6 / 2.5, 2: 1.5 / 2.5})],
)
def test_titles_count_as_the_collection_goes_by_them(title_weight: float, fused: dict[int, float]) -> None:
    assert fuse({1: 0.6, 2: 0.5}, NONE, {2: 1.0}, weights=WEIGHTS, title_weight=title_weight) == pytest.approx(fused)


def test_every_score_is_between_nought_and_one() -> None:
    random = np.random.default_rng(7)
    dense = {key: float(score) for key, score in enumerate(random.uniform(-1, 1, 50))}
    lexical: Scores = {
        leg: {key: float(score) for key, score in enumerate(random.uniform(0, 60, 80))} for leg in WEIGHTS
    }
    titles = {key: float(score) for key, score in enumerate(random.uniform(0, 1, 90))}
    fused = fuse(dense, lexical, titles, weights=WEIGHTS, title_weight=0.7)
    assert len(fused) == 90
    assert all(0 <= score <= 1 for score in fused.values())


def test_each_leg_that_brought_a_candidate_says_what_it_made_of_it() -> None:
    lexical: Scores = {"words": {1: 20.0, 2: 10.0, 3: 15.0}, "letters": {}, "sounds": {2: 4.0}}
    assert [parts(key, {1: -0.5, 2: 0.5}, lexical, {3: 0.9}) for key in (1, 2, 3, 4)] == [
        {"meaning": LegScore(-0.5, 0.0), "words": LegScore(20.0, 1.0)},
        {"meaning": LegScore(0.5, 0.5), "words": LegScore(10.0, 0.0), "sounds": LegScore(4.0, 1.0)},
        {"words": LegScore(15.0, 0.5), "titles": LegScore(0.9, 0.9)},
        {},
    ]


HISTORY = [Turn("user", "a"), Turn("assistant", "b"), Turn("user", "c"), Turn("assistant", "d")]


@pytest.mark.parametrize(
    ("history", "dense", "lexical"),
    [
        ([], [], []),
        (HISTORY[:1], [0.3 * 0.7], [0.3 * 0.8]),
        (HISTORY[:2], [0.3 * 0.7, 0.09 * 0.7], [0.3 * 0.8, 0.09 * 0.8]),
        (HISTORY, [0.147, 0.0441, 0.21, 0.063], [0.192, 0.0576, 0.24, 0.072]),
    ],
)
def test_earlier_turns_weigh_less_and_the_assistants_least(
    history: list[Turn], dense: list[float], lexical: list[float]
) -> None:
    assert (dense_weights(history), lexical_weights(history)) == (pytest.approx(dense), pytest.approx(lexical))


def test_only_the_beginning_of_the_last_turns_with_words_counts() -> None:
    history = [*HISTORY, Turn("user", " "), Turn("user", "word " * 40), Turn("assistant", "word " * 40)]
    assert recent(history) == [
        *HISTORY[-2:],
        Turn("user", " ".join(["word"] * 30)),
        Turn("assistant", " ".join(["word"] * 12)),
    ]


def test_a_thing_that_was_named_is_kept_for_twenty_turns() -> None:
    turns = [Turn("user", str(number)) for number in range(30)]
    assert (shortened(turns), shortened([])) == (turns[10:], [])


def test_mixing_keeps_the_vector_at_unit_length() -> None:
    mixed = mix(np.array([1.0, 0.0]), np.array([[0.0, 1.0]]), [1.0])
    assert mixed == pytest.approx([0.5**0.5, 0.5**0.5])
