"""What repeats come to, in each tier by itself."""

from pathlib import Path

import pytest

from evals.report.results import RunResult
from evals.report.summary import Key, Leg, by_leg, spread, summaries
from tests.evals.report.sample import run, turn


def runs(*lines: dict[str, object]) -> list[RunResult]:
    return [RunResult.model_validate(line) for line in lines]


def repeated(name: str, statuses: str, **fields: object) -> list[dict[str, object]]:
    """A run a letter: p for one that passed, f for one that failed, and so on."""
    words = {word[0]: word for word in ("passed", "failed", "error", "invalid")} | {"w": "pending"}
    return [run(name, run=n, status=words[each], **fields) for n, each in enumerate(statuses, start=1)]


def test_tiers_and_providers_are_never_one():
    found = by_leg(summaries(runs(run(tier="audio"), run(tier="text"), run(tier="text", providers="embedded"))))
    legs = [Leg("text", "doubles"), Leg("text", "embedded"), Leg("audio", "doubles")]
    assert [each.leg for each in found] == legs


def test_a_scenario_is_known_by_its_files_name_wherever_it_lies():
    near, far = runs(run(file="evals/suite/a.yaml"), run(file=str(Path("/srv/other/a.yaml"))))
    (found,) = summaries([near, far])
    assert (found.key, len(found.runs)) == (Key("a.yaml", "returns/single_fact"), 2)


@pytest.mark.parametrize(
    ("statuses", "status", "passed"),
    [
        ("ppp", "passed", (3, 3)),
        ("pfp", "mixed", (2, 3)),
        ("fef", "failed", (0, 3)),
        ("pip", "passed", (2, 2)),
        ("www", "pending", None),
        ("e", "error", (0, 1)),
    ],
)
def test_errors_did_not_pass_and_pending_and_invalid_runs_do_not_count(
    statuses: str, status: str, passed: tuple[int, int] | None
):
    (found,) = summaries(runs(*repeated("a", statuses)))
    assert found.status == status
    assert (None if found.share is None else (found.passed, found.share.of)) == passed


def test_chances_are_means_over_scenarios_and_their_intervals_count_scenarios():
    (found,) = by_leg(summaries(runs(*repeated("a", "ppp"), *repeated("b", "ppf"), *repeated("c", "fff"))))
    assert found.at_one is not None
    assert found.at_k is not None
    assert found.hat_k is not None
    assert (found.at_one.value, found.at_k.value, found.hat_k.value) == pytest.approx((5 / 9, 2 / 3, 1 / 3))
    assert (found.k, found.at_one.of, found.hat_k.of) == (3, 3, 3)
    assert found.hat_k.low == pytest.approx(0.0615, abs=1e-3)


def test_a_scenario_that_was_cut_off_is_left_out_of_what_needs_all_repeats():
    (found,) = by_leg(summaries(runs(*repeated("a", "ppp"), *repeated("b", "ppp"), *repeated("c", "f"))))
    assert found.at_one is not None
    assert found.hat_k is not None
    assert (found.k, found.at_one.of, found.hat_k.of) == (3, 3, 2)


def test_a_leg_of_pending_scenarios_has_no_chances():
    (found,) = by_leg(summaries(runs(*repeated("a", "www"))))
    assert (found.at_one, found.hat_k, found.counts["pending"]) == (None, None, 3)


def test_latencies_are_of_turns_that_were_measured_in_runs_that_count():
    measured = run(turns=[turn(v2v_ms=700.0), turn(v2v_ms=None), turn(v2v_ms=900.0)])
    (found,) = by_leg(summaries(runs(measured, run(status="invalid", turns=[turn(v2v_ms=9000.0)]))))
    v2v, gap = found.latencies
    assert (v2v.measure, v2v.count, v2v.p50, v2v.largest) == ("v2v_ms", 2, 800.0, 900.0)
    assert (gap.measure, gap.count) == ("longest_gap_ms", 3)


@pytest.mark.parametrize(("count", "has_p95"), [(19, False), (20, True)])
def test_a_95th_percentile_needs_twenty_values(count: int, has_p95: bool):
    assert (spread("v2v_ms", [float(n) for n in range(count)]).p95 is not None) is has_p95
