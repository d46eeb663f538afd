"""Whether what was looked at again and again stays as it is: a slope with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

# Neighbouring samples are alike; means of so many stretches are hardly, so that an interval may be made of them.
STRETCHES = 10
# Student's t, 97.5 %, of so many stretches less the two that a line takes.
T_975 = 2.306
HOUR_SECS = 3600.0


class Verdict(StrEnum):
    """What a slope says."""

    FLAT = "flat"  # it surely grows by no more than is allowed
    GROWS = "grows"  # it surely grows by more
    UNKNOWN = "too short to tell"


@dataclass(frozen=True, slots=True)
class Slope:
    """By how much something grows in an hour, and the interval that holds it with 95 %."""

    an_hour: float
    low: float
    high: float

    def verdict(self, *, allowed: float) -> Verdict:
        """Whether it is flat, where so much an hour is nothing."""
        if self.high <= allowed:
            return Verdict.FLAT
        return Verdict.GROWS if self.low > allowed else Verdict.UNKNOWN


def slope(at_secs: Sequence[float], values: Sequence[float]) -> Slope | None:
    """The line through the means of ten stretches; None of fewer samples than two a stretch."""
    if len(values) < 2 * STRETCHES:
        return None
    times = np.array([part.mean() for part in np.array_split(np.asarray(at_secs, float) / HOUR_SECS, STRETCHES)])
    means = np.array([part.mean() for part in np.array_split(np.asarray(values, float), STRETCHES)])
    away = times - times.mean()
    an_hour = float((away * (means - means.mean())).sum() / (away**2).sum())
    rest = means - means.mean() - an_hour * away
    error = float(np.sqrt((rest**2).sum() / (STRETCHES - 2) / (away**2).sum()))
    return Slope(an_hour, an_hour - T_975 * error, an_hour + T_975 * error)
