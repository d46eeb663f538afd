"""Holds scenarios with a whole bot, and then those that pass with each broken one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from evals.mutants.defects import Mutant
from evals.mutants.errors import MutantError
from evals.program import Jarvis
from evals.scenarios.format import find, read
from evals.scenarios.keys import TIERS, Tier
from evals.scenarios.lint import lint
from evals.scenarios.plan import Plan, plan
from evals.scenarios.results import Results, header
from evals.scenarios.run import hold_suite
from evals.scenarios.stand import sample, stand

WHOLE = "whole"

OnRecord = Callable[[str, Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one scenario makes of a defect.

    `whole` is its status with a whole bot, `broken` with the defect, None where it was not held for failing without;
    `failed` are the checks that failed for the defect, the first one first, and `by` the first that is to.
    """

    scenario: str
    tier: str
    whole: str
    broken: str | None
    failed: tuple[str, ...] = ()
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A mutant, and what its scenarios make of it."""

    mutant: Mutant
    seen: tuple[Seen, ...]

    @property
    def caught(self) -> bool:
        """Whether one of them shows the defect."""
        return any(each.by for each in self.seen)

    def to_json(self) -> dict[str, Any]:
        """As a file has it."""
        return {
            "name": self.mutant.name, "defect": self.mutant.defect, "target": self.mutant.target,
            "caught": self.caught, "scenarios": [asdict(each) for each in self.seen],
        }  # fmt: skip


def planned(suite: Path, names: Sequence[str]) -> Plan:
    """These scenarios of a suite; raises `MutantError` where one can't be held or waits for its feature."""
    files = [read(each) for each in find([suite])]
    found = plan([(file, lint(file)) for file in files], tiers=TIERS, only=names)
    if found.unheld:
        raise MutantError(f"{found.unheld[0].name} is wrong. `jarvis eval lint` says how.")
    if gone := sorted({*names} - {run.scenario.name for run in found.runs}):
        raise MutantError(f"{gone[0]} is in no file of {suite}, or waits for its feature.")
    return found


async def hold_mutants(
    mutants: Sequence[Mutant],
    folder: Path,
    *,
    suite: Path,
    on_record: OnRecord,
    on_verdict: Callable[[Verdict], None],
    hold: Any = hold_suite,
) -> None:
    """Tells `on_verdict` what the suite makes of each mutant, as soon as it is known.

    `on_record` is told of each run, with the mutant's name or `WHOLE`. Each bot's results lie in a folder of its own
    below `folder`. Raises `MutantError` for scenarios that there are not,
    and `SuiteError` where the folder can't be written.
    """
    with sample() as kept:
        hold = partial(hold, sample=kept)
        named = list(dict.fromkeys(name for mutant in mutants for name in mutant.scenarios))
        whole = await _held(planned(suite, named), folder / WHOLE, hold, stand, partial(on_record, WHOLE))
        passed = {each["scenario_name"] for each in whole if each["x_status"] == "passed"}
        for mutant in mutants:
            broken: Sequence[Mapping[str, Any]] = ()
            if names := [name for name in mutant.scenarios if name in passed]:
                stands = partial(stand, make=partial(jarvis_with, mutant))
                told = partial(on_record, mutant.name)
                broken = await _held(planned(suite, names), folder / mutant.name, hold, stands, told)
            mine = [each for each in whole if each["scenario_name"] in mutant.scenarios]
            on_verdict(Verdict(mutant, tuple(_seen(mutant, mine, broken))))


def jarvis_with(mutant: Mutant, data_dir: Path, **environment: str) -> Jarvis:
    """A Jarvis whose bots have the defect."""
    jarvis = Jarvis(data_dir, **environment)
    jarvis.program = ("evals.mutants.program", mutant.name)
    return jarvis


async def _held(chosen: Plan, folder: Path, hold: Any, stands: Any, on_record: Any) -> Sequence[Mapping[str, Any]]:
    results = Results(folder)
    tiers: list[Tier] = [tier for tier in TIERS if tier in chosen.tiers]
    results.begin(header(providers=sorted(chosen.providers), repeat=1, tiers=tiers))
    try:
        await hold(chosen, results, jobs=1, live={}, on_record=on_record, stands=stands)
    finally:
        results.end()
    return results.records


def _seen(mutant: Mutant, whole: Sequence[Mapping[str, Any]], broken: Sequence[Mapping[str, Any]]) -> Iterator[Seen]:
    with_defect = {(each["scenario_name"], each["x_tier"]): each for each in broken}
    for each in whole:
        run = (each["scenario_name"], each["x_tier"])
        if (other := with_defect.get(run)) is None:
            yield Seen(*run, each["x_status"], None)
            continue
        failed = tuple(dict.fromkeys(failure["check"] for failure in other["x_failures"]))
        counts = each["x_status"] == "passed" and other["x_status"] == "failed"
        by = next((check for check in failed if counts and check in mutant.checks), None)
        yield Seen(*run, each["x_status"], other["x_status"], failed, by)
