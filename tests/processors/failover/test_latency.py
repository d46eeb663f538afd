"""How long a first token is waited for."""

import pytest

from processors.failover.latency import ENOUGH, KEPT, FirstTokens, p95, patience_secs


@pytest.mark.parametrize(
    ("p95_secs", "patience"), [(None, 3.0), (0.1, 1.0), (0.5, 1.0), (0.8, 1.6), (1.9, 3.8), (9.0, 4.0)]
)
def test_patience_is_twice_what_slow_answers_take_within_one_and_four_seconds(p95_secs: float | None, patience: float):
    assert patience_secs(p95_secs) == patience


@pytest.mark.parametrize(("secs", "expected"), [([0.3], 0.3), ([0.1] * 19 + [5.0], 0.1), ([0.1] * 18 + [2.0] * 2, 2.0)])
def test_the_slowest_twentieth_does_not_count(secs: list[float], expected: float):
    assert p95(secs) == expected


def test_a_few_answers_are_too_few_to_judge_by():
    tokens = FirstTokens()
    for _ in range(ENOUGH - 1):
        tokens.add(0.1)
    assert tokens.p95_secs is None


def test_answers_of_long_ago_are_forgotten():
    tokens = FirstTokens()
    for secs in [9.0] * KEPT + [0.2] * KEPT:
        tokens.add(secs)
    assert tokens.p95_secs == 0.2
