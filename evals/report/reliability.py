"""How often a scenario holds, and how often it does so every time: pass@1, pass@k and pass^k of a suite's runs."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from rich.table import Table

from evals.report.results import RunResult
from evals.report.summary import ScenarioSummary, Share, by_leg, summaries


def reliability(records: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The last line of a results.jsonl: each tier and providers for itself, with its scenarios.

    A share is `{value, low, high, of}`, 0 to 1, with its 95 % interval; null where no run counts. `of` is a number of
    scenarios of a tier, and of runs of a scenario.
    """
    scenarios = _scenarios(records)
    return {
        "x_summary": [
            {
                "tier": leg.leg.tier,
                "providers": leg.leg.providers,
                "k": leg.k,
                "scenarios": leg.scenarios,
                "counts": dict(leg.counts),
                "pass_at_1": _json(leg.at_one),
                "pass_at_k": _json(leg.at_k),
                "pass_hat_k": _json(leg.hat_k),
                "each": [_scenario(each) for each in scenarios if each.leg == leg.leg],
            }
            for leg in by_leg(scenarios)
        ]
    }


def tables(records: Iterable[Mapping[str, Any]]) -> list[Table]:
    """What is printed of repeated runs: a row a tier, and one for each scenario that did not hold every time."""
    scenarios = _scenarios(records)
    legs = by_leg(scenarios)
    suite = Table("Tier", "Providers", "k", "pass@1", "pass@k", "pass^k", title="Suite, 95 % intervals over scenarios")
    for leg in legs:
        suite.add_row(leg.leg.tier, leg.leg.providers, str(leg.k), *map(_shown, (leg.at_one, leg.at_k, leg.hat_k)))
    shaky = [each for each in scenarios if each.share and each.share.value < 1]
    each_one = Table(
        "Scenario", "Tier", "Passed", "pass@1", "pass@k", "pass^k", title="Scenarios that did not hold every time"
    )
    for each in shaky:
        passed = f"{each.passed} of {len(each.counted)}"
        each_one.add_row(
            each.key.scenario, each.leg.tier, passed, *map(_shown, (each.share, each.at_k, each.hat_k))
        )  # fmt: skip
    return [suite, each_one] if shaky else [suite]


def _scenarios(records: Iterable[Mapping[str, Any]]) -> list[ScenarioSummary]:
    return summaries([RunResult.model_validate(dict(each)) for each in records])


def _scenario(summary: ScenarioSummary) -> dict[str, Any]:
    return {
        "file": summary.key.file,
        "scenario": summary.key.scenario,
        "runs": len(summary.counted),
        "passed": summary.passed,
        "invalid": sum(run.status == "invalid" for run in summary.runs),
        "pass_at_1": _json(summary.share),
        "pass_at_k": _json(summary.at_k),
        "pass_hat_k": _json(summary.hat_k),
    }


def _json(share: Share | None) -> dict[str, Any] | None:
    return None if share is None else asdict(share)


def _shown(share: Share | None) -> str:
    if share is None:
        return "–"
    return f"{100 * share.value:.0f} % ({100 * share.low:.0f} to {100 * share.high:.0f})"
