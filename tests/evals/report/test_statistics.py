"""Shares, chances and shifts, against values that are known."""

from itertools import combinations

import numpy as np
import pytest

from evals.report.statistics import Passes, beyond_chance, exact_p, least_p, pass_at, pass_hat, shift, wilson


@pytest.mark.parametrize(
    ("passed", "of", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (8, 10, 0.4902, 0.9433),
        (10, 10, 0.7225, 1.0),
        (81, 263, 0.2553, 0.3662),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilsons_interval_is_the_published_one(passed: int, of: int, low: float, high: float):
    assert wilson(passed, of) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("k", "passed", "at", "hat"), [(1, 3, 0.6, 0.6), (2, 3, 0.9, 0.3), (5, 3, 1.0, 0.0), (5, 5, 1.0, 1.0), (2, 0, 0, 0)]
)
def test_chances_of_one_and_of_each_of_k_runs_are_unbiased(k: int, passed: int, at: float, hat: float):
    found = pass_at(k, passed=passed, runs=5), pass_hat(k, passed=passed, runs=5)
    assert found == pytest.approx((at, hat))


@pytest.mark.parametrize(
    ("passes", "p"),
    [
        # The lady tasting tea.
        (Passes(3, 4, 1, 4), 34 / 70),
        (Passes(4, 4, 0, 4), 2 / 70),
        (Passes(3, 3, 0, 3), 0.1),
        (Passes(1, 1, 0, 1), 1.0),
        (Passes(8, 10, 1, 6), 0.034965),
        (Passes(5, 5, 5, 5), 1.0),
    ],
)
def test_one_scenario_is_tested_as_fisher_did(passes: Passes, p: float):
    assert exact_p([passes]) == pytest.approx(p, abs=1e-6)


def test_single_runs_of_many_scenarios_are_tested_as_mcnemar_did():
    broken, mended, alike = [Passes(1, 1, 0, 1)] * 9, [Passes(0, 1, 1, 1)], [Passes(1, 1, 1, 1)] * 30
    assert exact_p([*broken, *mended, *alike]) == pytest.approx(22 / 1024)


def test_scenarios_that_pass_alike_differently_often_are_no_change():
    assert exact_p([Passes(5, 5, 10, 10), Passes(0, 10, 0, 5)]) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("passes", "least"), [(Passes(5, 5, 5, 5), 1.0), (Passes(2, 4, 2, 4), 2 / 70), (Passes(1, 2, 1, 2), 1 / 3)]
)
def test_the_least_p_is_that_of_the_utmost_change(passes: Passes, least: float):
    assert least_p([passes]) == pytest.approx(least)


def test_tests_that_could_tell_nothing_cost_the_others_nothing():
    assert beyond_chance([0.02, *[1.0] * 40], [0.02, *[0.5] * 40]) == [True, *[False] * 40]


def test_one_of_many_that_could_tell_must_tell_more():
    assert beyond_chance([0.02, *[0.9] * 40], [0.001] * 41) == [False] * 41


def test_many_that_tell_the_same_are_all_believed():
    assert beyond_chance([0.04] * 10, [0.04] * 10) == [True] * 10


def noise(turns: int, repeats: int, *, later: float = 0.0, seed: int = 1) -> list[list[float]]:
    """Turns that differ by half a second, in runs that differ by some 30 ms."""
    draw = np.random.default_rng(seed)
    return [[*(500 + 40 * turn + later + draw.normal(0, 30, repeats))] for turn in range(turns)]


def test_a_shift_is_found_in_spite_of_turns_that_differ():
    found = shift(noise(15, 5), noise(15, 5, later=40, seed=2))
    assert found.p < 0.001
    assert found.low < 40 < found.high
    assert found.low > 15


def test_noise_is_no_shift():
    found = shift(noise(15, 5), noise(15, 5, seed=3))
    assert found.p > 0.05
    assert found.low < 0 < found.high


def test_the_p_value_is_that_of_all_ways_to_deal_the_values():
    before, after = [500, 560, 520, 590, 515], [570, 640, 550, 605, 580]
    values = sorted(before + after)
    sums = [abs(sum(map(values.index, dealt)) - 22.5) for dealt in combinations(values, 5)]
    observed = abs(sum(map(values.index, after)) - 22.5)
    exact = sum(each >= observed for each in sums) / len(sums)
    assert shift([before], [after]).p == pytest.approx(exact, abs=0.01)


def test_a_shift_without_any_noise_is_the_surest():
    assert shift([[800.0] * 5] * 8, [[810.0] * 5] * 8).p < 0.001


def test_one_wild_value_is_no_shift():
    before, after = noise(15, 5), noise(15, 5, seed=3)
    after[4][2] = 60_000
    assert shift(before, after).p > 0.05


def test_single_runs_of_many_turns_are_tested_by_their_signs():
    after = [[value + (5 if n < 11 else -5)] for n, (value, *_) in enumerate(noise(12, 1))]
    assert shift(noise(12, 1), after).p == pytest.approx(26 / 4096, abs=0.003)


def test_of_one_turn_the_interval_goes_by_its_repeats():
    found = shift([[500, 510, 520, 505, 515]], [[700, 710, 720, 705, 715]])
    assert (found.median, 180 <= found.low < 200 < found.high <= 220) == (200, True)


def test_single_values_tell_nothing():
    assert shift([[500.0]], [[900.0]]).p == pytest.approx(1.0)


def test_the_same_values_give_the_same_figures():
    before, after = noise(4, 3), noise(4, 3, seed=2)
    assert shift(before, after) == shift(before, after)
