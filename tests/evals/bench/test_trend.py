"""Slopes, and what they say."""

import random

import pytest

from evals.bench.trend import HOUR_SECS, Slope, Verdict, slope

HOUR = [HOUR_SECS * n / 200 for n in range(200)]


def test_a_straight_line_has_its_slope_and_hardly_an_interval():
    found = slope(HOUR, [100 + 6 * at / HOUR_SECS for at in HOUR])
    assert found is not None
    assert (found.an_hour, found.low, found.high) == (pytest.approx(6),) * 3


def test_what_only_wavers_has_a_slope_of_nothing_in_its_interval():
    chance = random.Random(1)
    found = slope(HOUR, [100 + chance.random() for _ in HOUR])
    assert found is not None
    assert found.low < 0 < found.high


def test_a_leak_shows_through_the_wavering():
    chance = random.Random(1)
    found = slope(HOUR, [100 + 5 * chance.random() + 20 * at / HOUR_SECS for at in HOUR])
    assert found is not None
    assert found.verdict(allowed=10) is Verdict.GROWS


def test_too_few_looks_have_no_slope():
    assert slope(HOUR[:19], [1.0] * 19) is None
    assert slope(HOUR[:20], [1.0] * 20) is not None


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(-5, 9, Verdict.FLAT), (-5, 11, Verdict.UNKNOWN), (9, 11, Verdict.UNKNOWN), (11, 12, Verdict.GROWS)],
)
def test_only_what_is_sure_is_said(low: float, high: float, verdict: Verdict):
    assert Slope((low + high) / 2, low, high).verdict(allowed=10) is verdict
