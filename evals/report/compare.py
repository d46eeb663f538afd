"""What changed between two results: scenarios that flipped, latencies that moved, and what of it is beyond chance."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from evals.report.errors import ReportError
from evals.report.results import Results
from evals.report.statistics import ALPHA, Passes, Shift, beyond_chance, exact_p, least_p, shift
from evals.report.summary import MEASURES, Key, Latency, Leg, ScenarioSummary, spread, summaries

# Media travels in frames of so many milliseconds: nobody hears a smaller shift, however sure it is.
LEAST_SHIFT_MS = 20.0

Strata = dict[tuple[Key, int], list[float]]


@dataclass(frozen=True)
class Change:
    """A scenario, or all of a leg together, whose runs pass more or less often than before."""

    leg: Leg
    key: Key | None
    passes: Passes
    p: float
    beyond_chance: bool

    @property
    def worse(self) -> bool:
        """Whether a smaller share passes."""
        return self.passes.passed_after * self.passes.runs_before < self.passes.passed_before * self.passes.runs_after


@dataclass(frozen=True)
class Moved:
    """A measure over the turns that both results have."""

    leg: Leg
    measure: str
    turns: int
    before: Latency
    after: Latency
    shift: Shift
    beyond_noise: bool

    @property
    def worse(self) -> bool:
        """Whether it takes longer."""
        return self.shift.median > 0


@dataclass(frozen=True)
class Comparison:
    """What changed in each leg that both results have.

    `together` tells of each leg whether its scenarios, taken together, pass as often; `changed` are those that don't.
    `new` and `gone` say why a scenario has runs that count on one side only. `apart` are sentences about legs that were
    not compared, and `complaints` are those of the results.
    """

    legs: tuple[Leg, ...]
    scenarios: int
    together: tuple[Change, ...]
    changed: tuple[Change, ...]
    moved: tuple[Moved, ...]
    new: tuple[str, ...]
    gone: tuple[str, ...]
    apart: tuple[str, ...]
    complaints: tuple[str, ...]

    @property
    def got_worse(self) -> bool:
        """Whether anything got worse beyond what chance and noise explain."""
        changes = (*self.together, *self.changed)
        return any(each.worse and each.beyond_chance for each in changes) or any(
            each.worse and each.beyond_noise for each in self.moved
        )

    @property
    def could_tell(self) -> bool:
        """Whether a scenario that changed was run so often that, had all runs flipped, it could be told from chance."""
        runs = [(each.passes.runs_before, each.passes.runs_after) for each in self.changed]
        return not runs or any(exact_p([Passes(before, before, 0, after)]) <= ALPHA for before, after in runs)

    def to_json(self) -> dict[str, Any]:
        """The same in JSON's types, with the verdicts."""
        return {
            "legs": [each._asdict() for each in self.legs],
            "scenarios": self.scenarios,
            "together": [_change(each) for each in self.together],
            "changed": [_change(each) for each in self.changed],
            "moved": [asdict(each) | {"leg": each.leg._asdict(), "worse": each.worse} for each in self.moved],
            "new": self.new,
            "gone": self.gone,
            "apart": self.apart,
            "complaints": self.complaints,
            "got_worse": self.got_worse,
        }


def compare(before: Results, after: Results) -> Comparison:
    """Compare what both have, leg by leg; raises ReportError where they have no leg in common."""
    olds, news = _by_leg(before), _by_leg(after)
    legs = sorted({*olds} & {*news}, key=lambda leg: leg.rank)
    if not legs:
        raise ReportError(
            f"{before.path} is of {_named(olds)} and {after.path} of {_named(news)}: results of different tiers or "
            "providers are not compared."
        )
    pairs = [(old, news[leg][key]) for leg in legs for key, old in olds[leg].items() if key in news[leg]]
    counted = [(old, new) for old, new in pairs if old.counted and new.counted]
    return Comparison(
        legs=tuple(legs),
        scenarios=len(counted),
        together=_together(legs, counted),
        changed=_changed(counted),
        moved=_moved(legs, counted),
        new=_missing(legs, news, olds),
        gone=_missing(legs, olds, news),
        apart=tuple(
            f"{_name(leg)} is in {path} only."
            for path, own in ((before.path, olds), (after.path, news))
            for leg in sorted({*own} - {*legs}, key=lambda leg: leg.rank)
        ),
        complaints=(*before.complaints, *after.complaints),
    )


def _by_leg(results: Results) -> dict[Leg, dict[Key, ScenarioSummary]]:
    found: dict[Leg, dict[Key, ScenarioSummary]] = {}
    for each in summaries(results.runs):
        found.setdefault(each.leg, {})[each.key] = each
    return found


def _passes(old: ScenarioSummary, new: ScenarioSummary) -> Passes:
    return Passes(old.passed, len(old.counted), new.passed, len(new.counted))


def _together(legs: Sequence[Leg], counted: Sequence[tuple[ScenarioSummary, ScenarioSummary]]) -> tuple[Change, ...]:
    each_leg = ((leg, [_passes(old, new) for old, new in counted if old.leg == leg]) for leg in legs)
    found = [(leg, strata) for leg, strata in each_leg if strata]
    p_values = [exact_p(strata) for _, strata in found]
    sure = beyond_chance(p_values, [least_p(strata) for _, strata in found])
    return tuple(
        Change(leg=leg, key=None, passes=_sum(strata), p=p, beyond_chance=is_sure)
        for (leg, strata), p, is_sure in zip(found, p_values, sure, strict=True)
    )


def _sum(strata: Sequence[Passes]) -> Passes:
    return Passes(
        passed_before=sum(each.passed_before for each in strata),
        runs_before=sum(each.runs_before for each in strata),
        passed_after=sum(each.passed_after for each in strata),
        runs_after=sum(each.runs_after for each in strata),
    )


def _changed(counted: Sequence[tuple[ScenarioSummary, ScenarioSummary]]) -> tuple[Change, ...]:
    """Those whose share changed, the surest first."""
    passes = [_passes(old, new) for old, new in counted]
    p_values = [exact_p([each]) for each in passes]
    sure = beyond_chance(p_values, [least_p([each]) for each in passes])
    found = [
        Change(leg=old.leg, key=old.key, passes=each, p=p, beyond_chance=is_sure)
        for (old, _), each, p, is_sure in zip(counted, passes, p_values, sure, strict=True)
        if each.passed_before * each.runs_after != each.passed_after * each.runs_before
    ]
    return tuple(sorted(found, key=lambda change: (not change.worse, change.p)))


def _moved(legs: Sequence[Leg], counted: Sequence[tuple[ScenarioSummary, ScenarioSummary]]) -> tuple[Moved, ...]:
    found: list[tuple[Leg, str, Strata, Strata, Shift]] = []
    for leg in legs:
        for measure in MEASURES:
            old = _strata((each for each, _ in counted if each.leg == leg), measure)
            new = _strata((each for _, each in counted if each.leg == leg), measure)
            both = [turn for turn in old if turn in new]
            if both:
                olds, news = {turn: old[turn] for turn in both}, {turn: new[turn] for turn in both}
                found.append((leg, measure, olds, news, shift([*olds.values()], [*news.values()])))
    sure = beyond_chance([each.p for *_, each in found], [0.0] * len(found))
    return tuple(
        Moved(
            leg=leg,
            measure=measure,
            turns=len(olds),
            before=spread(measure, [value for values in olds.values() for value in values]),
            after=spread(measure, [value for values in news.values() for value in values]),
            shift=moved,
            beyond_noise=is_sure and abs(moved.median) >= LEAST_SHIFT_MS and not moved.low <= 0 <= moved.high,
        )
        for (leg, measure, olds, news, moved), is_sure in zip(found, sure, strict=True)
    )


def _strata(scenarios: Iterable[ScenarioSummary], measure: str) -> Strata:
    """What was measured in each turn of each scenario, over its repeats."""
    found: Strata = {}
    for each in scenarios:
        for run in each.counted:
            for number, turn in enumerate(run.turns):
                if (value := getattr(turn, measure)) is not None:
                    found.setdefault((each.key, number), []).append(value)
    return found


def _missing(
    legs: Sequence[Leg],
    there: Mapping[Leg, Mapping[Key, ScenarioSummary]],
    missing: Mapping[Leg, Mapping[Key, ScenarioSummary]],
) -> tuple[str, ...]:
    """Scenarios with runs that count here, and none that count there."""
    found = []
    for leg in legs:
        for key, each in there[leg].items():
            other = missing[leg].get(key)
            if each.counted and not (other and other.counted):
                why = f", {other.status} on the other side" if other else ""
                found.append(
                    f"{key.scenario} ({key.file}, {leg.tier}): {each.passed} of {len(each.counted)} passed{why}"
                )
    return tuple(found)


def _change(change: Change) -> dict[str, Any]:
    key = None if change.key is None else change.key._asdict()
    return asdict(change) | {"leg": change.leg._asdict(), "key": key, "worse": change.worse}


def _named(legs: Mapping[Leg, object]) -> str:
    return " and ".join(_name(leg) for leg in sorted(legs, key=lambda leg: leg.rank))


def _name(leg: Leg) -> str:
    return f"{leg.tier} (providers: {leg.providers})"
