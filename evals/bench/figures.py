"""What repeated runs came to: their spread, and how two of them compare."""

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

# Fewer values than that have no 95th percentile to speak of.
TAIL_VALUES = 20
RESAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured quantity: the values of its runs in `unit`, and what they are `of` where there are several."""

    name: str
    unit: str
    values: tuple[float, ...]
    of: str = ""

    @property
    def median(self) -> float:
        """The middle of the runs."""
        return statistics.median(self.values)

    @property
    def quartiles(self) -> tuple[float, float]:
        """Where the middle half of the runs lies."""
        return percentile(self.values, 25), percentile(self.values, 75)

    @property
    def p95(self) -> float | None:
        """The 95th percentile; None of fewer than twenty values."""
        return percentile(self.values, 95) if len(self.values) >= TAIL_VALUES else None


@dataclass(frozen=True, slots=True)
class Note:
    """What has to be said about the figures: a decision, or what was left out."""

    text: str


Finding = Figure | Note


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which so many percent lie, between neighbours in proportion; of at least one value."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float, float]:
    """The ratio of the medians, and the interval that holds it with 95 %, by resampling; always the same one."""
    chance = random.Random(1)
    ratios = [
        statistics.median(chance.choices(ours, k=len(ours))) / statistics.median(chance.choices(theirs, k=len(theirs)))
        for _ in range(RESAMPLES)
    ]
    return (
        statistics.median(ours) / statistics.median(theirs),
        percentile(ratios, 2.5),
        percentile(ratios, 97.5),
    )


def compared(name: str, ours: Figure, theirs: Figure) -> Note:
    """Two figures of the same quantity, as a sentence."""
    middle, low, high = ratio(ours.values, theirs.values)
    return Note(f"{name}: {ours.of} takes {middle:.2f} (95 %: {low:.2f}–{high:.2f}) of what {theirs.of} takes")
