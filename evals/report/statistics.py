"""What repeats and latencies can tell from chance. Pure functions of numbers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import comb, sqrt

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# Of all that is called a change, so much may be noise.
ALPHA = 0.05
# Of the normal distribution, two-sided.
Z_95 = 1.959963984540054
DRAWS = 4000
# Of fewer strata, the strata alone tell too little: an interval then goes by the values in each.
LEAST_STRATA = 6
# Figures that differ by less are alike but for rounding.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Passes:
    """How many of the runs before and after passed, of one scenario."""

    passed_before: int
    runs_before: int
    passed_after: int
    runs_after: int


@dataclass(frozen=True)
class Shift:
    """How far values moved, in their unit: the median over strata, its 95 % interval, and a p value."""

    median: float
    low: float
    high: float
    p: float


def wilson(passed: float, of: int) -> tuple[float, float]:
    """The 95 % interval of a share, 0 to 1, by Wilson's score; all of it where there is nothing to go by."""
    if of == 0:
        return 0.0, 1.0
    share, spread = passed / of, Z_95**2 / of
    middle = (share + spread / 2) / (1 + spread)
    half = Z_95 / (1 + spread) * sqrt(share * (1 - share) / of + spread / (4 * of))
    return max(0.0, middle - half), min(1.0, middle + half)


def pass_at(k: int, *, passed: int, runs: int) -> float:
    """The chance that at least one of `k` runs passes, estimated without bias from `runs` ≥ k."""
    return 1 - comb(runs - passed, k) / comb(runs, k)


def pass_hat(k: int, *, passed: int, runs: int) -> float:
    """The chance that each of `k` runs passes, estimated without bias from `runs` ≥ k."""
    return comb(passed, k) / comb(runs, k)


def exact_p(strata: Sequence[Passes]) -> float:
    """The two-sided p value of as many passes after, given all passes of each stratum: Fisher's exact test of one
    stratum, McNemar's of single runs, Zelen's of several.
    """
    chances, observed = _given_margins(strata)
    return float(min(1.0, chances[chances <= chances[observed] * (1 + ROUNDING)].sum()))


def least_p(strata: Sequence[Passes]) -> float:
    """The smallest p value that these passes could have had, however they fell before and after."""
    chances, _ = _given_margins(strata)
    return float(min(1.0, chances[chances <= chances.min() * (1 + ROUNDING)].sum()))


def beyond_chance(p_values: Sequence[float], least: Sequence[float]) -> list[bool]:
    """Which of several tests tell a change from chance, so that one in twenty that do errs (Benjamini and Hochberg).

    `least` is the smallest p value that each could have had: a test that could tell nothing costs the others nothing.
    """
    able = sorted(p for p, smallest in zip(p_values, least, strict=True) if smallest <= ALPHA)
    bar = max((p for rank, p in enumerate(able, start=1) if p <= ALPHA * rank / len(able)), default=0.0)
    return [p <= bar for p in p_values]


def shift(before: Sequence[Sequence[float]], after: Sequence[Sequence[float]]) -> Shift:
    """How far values moved, given per stratum, such as a turn of a scenario; every stratum has values on both sides.

    The p value is two-sided, of Mann and Whitney's test of all strata together (van Elteren, 1960), by permutation: it
    goes by ranks, so that one wild value tells no more than another. The interval is a bootstrap's, over the strata,
    or over the values in each where they are few. The same values give the same figures.
    """
    draw = np.random.default_rng(0)
    pairs = [(np.asarray(old, float), np.asarray(new, float)) for old, new in zip(before, after, strict=True)]
    each = np.array([np.median(new) - np.median(old) for old, new in pairs])
    later, dealt = map(sum, zip(*(_later(old, new, draw) for old, new in pairs), strict=True))
    extreme = int(np.count_nonzero(np.abs(dealt) >= abs(later) - ROUNDING))
    if len(pairs) < LEAST_STRATA:
        resampled = np.stack([*_resampled(pairs, draw)])
    else:
        resampled = each[draw.integers(0, each.size, (each.size, DRAWS))]
    low, high = np.percentile(np.median(resampled, axis=0), [2.5, 97.5])
    return Shift(float(np.median(each)), float(low), float(high), (1 + extreme) / (1 + DRAWS))


def _given_margins(strata: Sequence[Passes]) -> tuple[Floats, int]:
    """How likely each number of passes after is where nothing changed, and the index of the one there was."""
    chances, observed = np.ones(1), 0
    for each in strata:
        passed, runs = each.passed_before + each.passed_after, each.runs_before + each.runs_after
        least, most = max(0, passed - each.runs_before), min(passed, each.runs_after)
        ways = [comb(each.runs_after, n) * comb(each.runs_before, passed - n) for n in range(least, most + 1)]
        chances = np.convolve(chances, [way / comb(runs, passed) for way in ways])
        observed += each.passed_after - least
    return chances, observed


def _later(old: Floats, new: Floats, draw: np.random.Generator) -> tuple[float, Floats]:
    """How much higher the new values rank than by chance, weighed; and the same of many deals of all values."""
    values = np.concatenate((old, new))
    ranks = (values[:, None] > values).sum(axis=1) + (values[:, None] == values).sum(axis=1) / 2
    ranks = (ranks - values.size / 2) / (values.size + 1)
    dealt = draw.permuted(np.tile(ranks, (DRAWS, 1)), axis=1)
    return float(ranks[old.size :].sum()), dealt[:, old.size :].sum(axis=1)


def _resampled(pairs: Sequence[tuple[Floats, Floats]], draw: np.random.Generator) -> Iterator[Floats]:
    """Each stratum's difference of medians, its values drawn with replacement."""
    for old, new in pairs:
        olds, news = (values[draw.integers(0, values.size, (DRAWS, values.size))] for values in (old, new))
        yield np.median(news, axis=1) - np.median(olds, axis=1)
