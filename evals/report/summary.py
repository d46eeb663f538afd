"""What runs came to, scenario by scenario and tier by tier."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import numpy as np

from evals.report.results import RunResult, TurnResult
from evals.report.statistics import pass_at, pass_hat, wilson

TIERS = ("text", "audio", "webrtc", "sip")
MEASURES = {"v2v_ms": "voice to voice", "yield_ms": "yield to the caller", "longest_gap_ms": "longest gap"}
# Of fewer values the 95th percentile is the largest.
LEAST_FOR_P95 = 20


class Leg(NamedTuple):
    """What is never averaged with another: a tier, and whose speech and language were behind it."""

    tier: str
    providers: str

    @property
    def rank(self) -> tuple[int, str, str]:
        """What sorts legs: the nearest to a caller last."""
        return TIERS.index(self.tier) if self.tier in TIERS else len(TIERS), self.tier, self.providers


class Key(NamedTuple):
    """Which scenario a run is of: its file's name, since a suite may lie elsewhere tomorrow, and its own."""

    file: str
    scenario: str


@dataclass(frozen=True)
class Share:
    """A share with its 95 % interval, all 0 to 1, and out of how many."""

    value: float
    low: float
    high: float
    of: int


@dataclass(frozen=True)
class Latency:
    """The spread of a measure in milliseconds; `p95` is None where there are too few values to have one."""

    measure: str
    count: int
    p50: float
    p95: float | None
    largest: float


@dataclass(frozen=True)
class ScenarioSummary:
    """The repeats of a scenario in a leg."""

    key: Key
    leg: Leg
    runs: tuple[RunResult, ...]

    @property
    def counted(self) -> list[RunResult]:
        """The runs that say something about Jarvis."""
        return [run for run in self.runs if run.counts]

    @property
    def passed(self) -> int:
        """How many of the counted runs passed."""
        return sum(run.passed for run in self.counted)

    @property
    def status(self) -> str:
        """One word for all repeats: "mixed" where some passed and others did not."""
        kinds = {run.status for run in self.counted} or {run.status for run in self.runs}
        return kinds.pop() if len(kinds) == 1 else "mixed" if "passed" in kinds else "failed"

    @property
    def share(self) -> Share | None:
        """How many of the counted runs passed; None where none counts."""
        of = len(self.counted)
        return Share(self.passed / of, *wilson(self.passed, of), of) if of else None

    @property
    def at_k(self) -> Share | None:
        """How likely one of so many runs passes, with the interval of one run's chance, carried over."""
        if self.share is None:
            return None
        k, share = self.share.of, self.share
        value = pass_at(k, passed=self.passed, runs=k)
        return Share(value, 1 - (1 - share.low) ** k, 1 - (1 - share.high) ** k, k)

    @property
    def hat_k(self) -> Share | None:
        """How likely each of as many runs as were counted passes, likewise."""
        if self.share is None:
            return None
        k, share = self.share.of, self.share
        return Share(pass_hat(k, passed=self.passed, runs=k), share.low**k, share.high**k, k)

    @property
    def v2v_p50_ms(self) -> float | None:
        """Over the turns of counted runs; None where it was measured in none."""
        return next((each.p50 for each in spreads(run.turns for run in self.counted) if each.measure == "v2v_ms"), None)


@dataclass(frozen=True)
class LegSummary:
    """All scenarios of a leg.

    `at_one` is the mean over scenarios of the share that passed; `at_k` and `hat_k` are how likely one of `k` runs, and
    each of them, passes, over the scenarios that were run so often; `k` is how often most were. The intervals count
    scenarios, not runs: repeats of a scenario are too much alike to count singly.
    """

    leg: Leg
    counts: Counter[str]
    scenarios: int
    k: int
    at_one: Share | None
    at_k: Share | None
    hat_k: Share | None
    latencies: tuple[Latency, ...]


def summaries(runs: Sequence[RunResult]) -> list[ScenarioSummary]:
    """The scenarios in the order in which they were first run, each with its tiers together."""
    grouped: dict[Key, dict[Leg, list[RunResult]]] = {}
    for run in runs:
        legs = grouped.setdefault(Key(Path(run.file).name, run.scenario_name), {})
        legs.setdefault(Leg(run.tier, run.providers), []).append(run)
    return [
        ScenarioSummary(key, leg, tuple(legs[leg]))
        for key, legs in grouped.items()
        for leg in sorted(legs, key=lambda leg: leg.rank)
    ]


def by_leg(scenarios: Sequence[ScenarioSummary]) -> list[LegSummary]:
    """A summary a leg, each apart."""
    legs = sorted({each.leg for each in scenarios}, key=lambda leg: leg.rank)
    return [_leg(leg, [each for each in scenarios if each.leg == leg]) for leg in legs]


def spreads(runs: Iterable[Sequence[TurnResult]]) -> list[Latency]:
    """The measures that were taken, over all turns."""
    turns = [turn for each in runs for turn in each]
    values = {
        measure: [value for turn in turns if (value := getattr(turn, measure)) is not None] for measure in MEASURES
    }
    return [spread(measure, each) for measure, each in values.items() if each]


def spread(measure: str, values: Sequence[float]) -> Latency:
    """The spread of at least one value."""
    p50, p95 = np.percentile(values, [50, 95])
    return Latency(
        measure=measure,
        count=len(values),
        p50=float(p50),
        p95=float(p95) if len(values) >= LEAST_FOR_P95 else None,
        largest=max(values),
    )


def _leg(leg: Leg, scenarios: Sequence[ScenarioSummary]) -> LegSummary:
    tried = [(each.passed, len(each.counted)) for each in scenarios if each.counted]
    times = Counter(runs for _, runs in tried)
    k = max(times, key=lambda runs: (times[runs], runs), default=0)
    often = [(passed, runs) for passed, runs in tried if runs >= k]
    return LegSummary(
        leg=leg,
        counts=Counter(run.status for each in scenarios for run in each.runs),
        scenarios=len(scenarios),
        k=k,
        at_one=_mean([pass_at(1, passed=passed, runs=runs) for passed, runs in tried]),
        at_k=_mean([pass_at(k, passed=passed, runs=runs) for passed, runs in often]),
        hat_k=_mean([pass_hat(k, passed=passed, runs=runs) for passed, runs in often]),
        latencies=tuple(spreads(run.turns for each in scenarios for run in each.counted)),
    )


def _mean(shares: Sequence[float]) -> Share | None:
    return Share(fmean(shares), *wilson(sum(shares), len(shares)), len(shares)) if shares else None
