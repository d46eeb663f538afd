"""What repeated runs of scenarios say of the next ones."""

import io

import pytest
from rich.console import Console

from evals.report.reliability import reliability, tables
from tests.evals.report.sample import run


def runs(name: str, *statuses: str, **fields: object) -> list[dict]:
    return [run(name, run=number, status=status, **fields) for number, status in enumerate(statuses, start=1)]


def test_a_suite_says_how_often_it_holds_once_ever_and_always():
    (leg,) = reliability([*runs("s/firm", *["passed"] * 4), *runs("s/shaky", *["passed"] * 2, *["failed"] * 2)])[
        "x_summary"
    ]
    assert (leg["k"], leg["scenarios"], leg["counts"]) == (4, 2, {"passed": 6, "failed": 2})
    assert leg["pass_at_1"]["value"] == pytest.approx(0.75)
    assert (leg["pass_at_k"]["value"], leg["pass_hat_k"]["value"]) == (1.0, 0.5)
    assert leg["pass_hat_k"]["of"] == 2


def test_the_interval_of_a_scenario_is_carried_over_from_that_of_a_single_run():
    (leg,) = reliability(runs("s/shaky", "passed", "passed", "failed"))["x_summary"]
    (each,) = leg["each"]
    assert (each["runs"], each["passed"]) == (3, 2)
    low, high = each["pass_at_1"]["low"], each["pass_at_1"]["high"]
    assert (each["pass_hat_k"]["low"], each["pass_hat_k"]["high"]) == pytest.approx((low**3, high**3))
    assert each["pass_at_k"]["low"] == pytest.approx(1 - (1 - low) ** 3)
    assert (each["pass_hat_k"]["value"], each["pass_at_k"]["value"]) == (0.0, 1.0)


def test_tiers_are_not_mixed_and_what_is_invalid_counts_neither_way():
    legs = reliability(
        [*runs("s/one", "passed", "invalid", "passed"), *runs("s/one", "failed", tier="text", providers="live")]
    )["x_summary"]
    assert [(each["tier"], each["providers"], each["pass_at_1"]["value"]) for each in legs] == [
        ("text", "live", 0.0), ("audio", "doubles", 1.0),
    ]  # fmt: skip
    assert (legs[1]["each"][0]["runs"], legs[1]["each"][0]["invalid"]) == (2, 1)


def test_where_no_run_counts_there_is_no_share():
    (leg,) = reliability(runs("s/one", "invalid", "pending"))["x_summary"]
    assert (leg["pass_at_1"], leg["each"][0]["pass_hat_k"]) == (None, None)


def test_only_what_did_not_hold_every_time_is_named_beside_the_suite():
    found = tables([*runs("s/firm", "passed", "passed"), *runs("s/shaky", "passed", "failed")])
    console = Console(width=120, record=True, file=io.StringIO())
    for each in found:
        console.print(each)
    text = console.export_text()
    assert "s/shaky" in text
    assert "s/firm" not in text
    assert "1 of 2" in text
