"""A line of results for a run that has none of its own."""

from pathlib import Path

from evals.scenarios.plan import Run
from evals.scenarios.records import broken, pending, with_pending
from tests.evals.scenarios.given import scenario


def test_what_broke_down_is_told_at_the_scenarios_line(tmp_path: Path):
    record = broken(Run(scenario(tmp_path), "text", 2), "no room")
    (failure,) = record["x_failures"]
    assert (record["x_status"], record["x_run"], failure["reason"], failure["line"]) == ("error", 2, "no room", 5)


def test_what_waits_says_for_what_and_fails_once_it_passes(tmp_path: Path):
    run = Run(scenario(tmp_path, keys="x_pending: no feature yet"), "text", 1)
    assert pending(run)["skipped"] == "no feature yet"
    status, (failure,) = with_pending(run, "passed", [])
    assert (status, failure.check) == ("failed", "x_pending")
