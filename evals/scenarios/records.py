"""A line of results for each run, whatever became of it."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from pipecat.evals.results import EvalScriptResult

from evals.scenarios.checks import Failure
from evals.scenarios.harness import Held
from evals.scenarios.observed import Observed
from evals.scenarios.observing import Spoken, timeline
from evals.scenarios.plan import Run, Unheld
from evals.scenarios.results import Status, complained, failed, named, shown


def unjudged(run: Run, held: Held) -> dict[str, Any]:
    """The record of a call that did not come about, or that nobody judged."""
    return _record(run, held.result, "error") | {
        "x_session": held.session_id,
        "x_failures": [failed(each) for each in stock_failures(run, held.result)],
    }


def of_call(
    run: Run,
    held: Held,
    status: Status,
    found: Sequence[Failure],
    observed: Observed,
    users: Sequence[str | None],
    sound: Spoken | None,
) -> dict[str, Any]:
    """The record of a call that was held."""
    keys = run.scenario.keys
    seen = timeline(
        held.messages, held.began_ms, users, sound, [*keys.x_faults, *([keys.x_host] if keys.x_host else [])]
    )
    return _record(run, held.result, status) | {
        "x_session": held.session_id,
        "x_failures": [failed(each) for each in found],
        "x_turns": [shown(turn) for turn in observed.turns],
        "x_timeline": [asdict(span) for span in seen],
        "x_audio": None if held.audio is None else held.audio.name,
    }


def stock_failures(run: Run, result: EvalScriptResult) -> list[Failure]:
    """What Pipecat's harness says against a call, each at its line."""
    found = []
    for each in result.failures:
        turn = each.turn_index if each.turn_index >= 0 else None
        path = () if turn is None else ("turns", turn)
        path = (*path, "expect", each.expectation_index) if each.expectation_index >= 0 else path
        found.append(Failure(turn, each.event_name, each.reason, run.scenario.place(*path)))
    if not result.passed and not found:
        found.append(Failure(None, "held", result.skipped or "it did not pass", run.scenario.place()))
    return found


def with_pending(run: Run, status: Status, found: list[Failure]) -> tuple[Status, list[Failure]]:
    """What waits for its feature may fail; where it holds, it waits no more."""
    if run.scenario.keys.x_pending is None:
        return status, found
    if status == "passed":
        place = run.scenario.place("x_pending")
        return "failed", [Failure(None, "x_pending", "it passes now: take `x_pending` out", place)]
    return "pending", found


def invalid(unheld: Unheld) -> dict[str, Any]:
    """The record of a scenario that is wrong."""
    return _keys(EvalScriptResult(unheld.name, passed=False, skipped="it is wrong"), "invalid") | {
        "x_tier": unheld.tier,
        "x_run": 1,
        "x_providers": unheld.providers,
        "x_file": named(unheld.file.file),
        "x_failures": [complained(each) for each in unheld.complaints],
    }


def pending(run: Run) -> dict[str, Any]:
    """The record of one that waits for its feature."""
    return _record(run, _unheld(run, run.scenario.keys.x_pending), "pending")


def broken(run: Run, reason: str) -> dict[str, Any]:
    """The record of a run that broke down before there was a result."""
    failure = Failure(None, "held", reason, run.scenario.place())
    return _record(run, _unheld(run, None), "error") | {"x_failures": [failed(failure)]}


def _unheld(run: Run, skipped: str | None) -> EvalScriptResult:
    return EvalScriptResult(run.scenario.name, passed=False, skipped=skipped)


def _record(run: Run, result: EvalScriptResult, status: Status) -> dict[str, Any]:
    return _keys(replace(result, passed=status == "passed"), status) | {
        "x_tier": run.tier,
        "x_run": run.number,
        "x_providers": run.scenario.keys.x_jarvis.providers,
        "x_file": named(run.scenario.file),
    }


def _keys(result: EvalScriptResult, status: Status) -> dict[str, Any]:
    return asdict(result) | {
        "x_status": status,
        "x_session": None,
        "x_failures": [],
        "x_turns": [],
        "x_timeline": [],
        "x_audio": None,
    }
