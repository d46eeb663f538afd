"""What changed between two results, and what of it is beyond chance."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evals.report.compare import Comparison, compare
from evals.report.errors import ReportError
from evals.report.results import Results, read_results
from evals.report.statistics import Passes
from tests.evals.report.sample import run, turn, write

Write = Callable[..., Results]


@pytest.fixture
def results(tmp_path: Path) -> Write:
    """Writes runs, each time into a file of its own, and reads them."""

    def written(*runs: dict[str, Any], rest: bytes = b"") -> Results:
        number = len([*tmp_path.iterdir()])
        return read_results(write(tmp_path / str(number) / "results.jsonl", *runs, rest=rest))

    return written


def repeats(name: str, passed: int, of: int, **fields: Any) -> list[dict[str, Any]]:
    return [run(name, run=n, status="passed" if n < passed else "failed", **fields) for n in range(of)]


def timed(v2v_ms: float, *, seed: int, tier: str = "audio", turns: int = 8) -> list[dict[str, Any]]:
    draw = np.random.default_rng(seed)
    return [
        run(tier=tier, run=n, turns=[turn(v2v_ms=v2v_ms + 50 * t + draw.normal(0, 20)) for t in range(turns)])
        for n in range(5)
    ]


def v2v(found: Comparison) -> Any:
    return next(each for each in found.moved if each.measure == "v2v_ms")


def test_a_scenario_that_always_passed_and_never_does_now_got_worse(results: Write):
    steady = [line for n in range(20) for line in repeats(f"steady {n}", 5, 5)]
    found = compare(results(*steady, *repeats("broken", 5, 5)), results(*steady, *repeats("broken", 0, 5)))
    (change,) = found.changed
    assert change.key is not None
    assert (change.key.scenario, change.passes) == ("broken", Passes(5, 5, 0, 5))
    assert (change.worse, change.beyond_chance, found.got_worse) == (True, True, True)


def test_a_scenario_that_passes_again_is_nothing_worse(results: Write):
    found = compare(results(*repeats("mended", 0, 5)), results(*repeats("mended", 5, 5)))
    assert (found.changed[0].worse, found.changed[0].beyond_chance, found.got_worse) == (False, True, False)


def test_a_flip_of_single_runs_is_shown_and_is_within_chance(results: Write):
    found = compare(results(run()), results(run(status="failed")))
    assert (len(found.changed), found.got_worse, found.could_tell) == (1, False, False)


def test_many_flips_of_single_runs_are_beyond_chance_together(results: Write):
    names = [f"scenario {n}" for n in range(8)]
    found = compare(results(*map(run, names)), results(*(run(name, status="failed") for name in names)))
    (together,) = found.together
    assert not any(each.beyond_chance for each in found.changed)
    assert (together.beyond_chance, together.worse, found.got_worse) == (True, True, True)


def test_an_error_did_not_pass(results: Write):
    found = compare(results(*repeats("a", 5, 5)), results(*(run("a", run=n, status="error") for n in range(5))))
    assert found.got_worse


def test_the_same_results_have_no_change(results: Write):
    before = results(*timed(800, seed=1), *repeats("flaky", 3, 5))
    found = compare(before, before)
    assert (found.changed, found.new, found.gone, found.apart, found.got_worse) == ((), (), (), (), False)


def test_a_latency_that_moved_is_told_from_noise(results: Write):
    found = compare(results(*timed(800, seed=1)), results(*timed(880, seed=2)))
    moved = v2v(found)
    assert (moved.turns, moved.beyond_noise, moved.worse, found.got_worse) == (8, True, True, True)
    assert moved.shift.low < 80 < moved.shift.high


def test_a_latency_that_fell_is_nothing_worse(results: Write):
    found = compare(results(*timed(880, seed=1)), results(*timed(800, seed=2)))
    assert (v2v(found).beyond_noise, v2v(found).worse, found.got_worse) == (True, False, False)


def test_noise_in_latencies_is_within_noise(results: Write):
    assert not v2v(compare(results(*timed(800, seed=1)), results(*timed(800, seed=2)))).beyond_noise


def test_a_shift_that_nobody_hears_is_within_noise_however_sure_it_is(results: Write):
    before, after = ([run(run=n, turns=[turn(v2v_ms=ms)] * 8) for n in range(5)] for ms in (800.0, 810.0))
    moved = v2v(compare(results(*before), results(*after)))
    assert moved.shift.p < 0.001
    assert not moved.beyond_noise


def test_new_slow_turns_move_no_latency(results: Write):
    slow = [run("new", run=n, turns=[turn(v2v_ms=5000.0)] * 20) for n in range(5)]
    found = compare(results(*timed(800, seed=1)), results(*timed(800, seed=2), *slow))
    assert (v2v(found).turns, found.got_worse) == (8, False)
    assert found.new == ("new (returns.yaml, audio): 5 of 5 passed",)


def test_tiers_are_compared_each_for_itself(results: Write):
    before = results(*timed(800, seed=1), *timed(300, seed=2, tier="text"))
    after = results(*timed(800, seed=3), *timed(400, seed=4, tier="text"))
    found = compare(before, after)
    verdicts = {each.leg.tier: each.beyond_noise for each in found.moved if each.measure == "v2v_ms"}
    assert verdicts == {"text": True, "audio": False}
    assert [each.leg.tier for each in found.together] == ["text", "audio"]


@pytest.mark.parametrize("other", [{"tier": "text"}, {"providers": "live"}])
def test_other_tiers_and_other_providers_are_refused(results: Write, other: dict[str, str]):
    with pytest.raises(ReportError, match=r"audio \(providers: doubles\) and .* are not compared"):
        compare(results(run()), results(run(**other)))


def test_what_only_one_side_has_is_left_apart_and_told(results: Write):
    before, after = results(run(), run(tier="text")), results(run(), run(tier="text", providers="live"))
    found = compare(before, after)
    assert [each.tier for each in found.legs] == ["audio"]
    assert found.apart == (
        f"text (providers: doubles) is in {before.path} only.",
        f"text (providers: live) is in {after.path} only.",
    )


def test_a_scenario_that_no_longer_counts_is_gone_and_says_why(results: Write):
    found = compare(results(run("a"), run("b")), results(run("b"), run("a", status="pending")))
    assert found.gone == ("a (returns.yaml, audio): 1 of 1 passed, pending on the other side",)


def test_what_could_not_be_read_is_told(results: Write):
    found = compare(results(run(), rest=b"{"), results(run()))
    assert "cut off" in found.complaints[0]


def test_it_is_json(results: Write):
    found = compare(results(*timed(800, seed=1), run("b")), results(*timed(880, seed=2), run("b", status="failed")))
    told = json.loads(json.dumps(found.to_json()))
    assert told["got_worse"] is True
    assert told["changed"][0]["key"] == {"file": "returns.yaml", "scenario": "b"}
    assert told["moved"][0]["leg"] == {"tier": "audio", "providers": "doubles"}


@pytest.mark.parametrize(("of", "could_tell"), [(3, False), (4, True)])
def test_four_repeats_are_the_least_that_can_tell(results: Write, of: int, could_tell: bool):
    assert compare(results(*repeats("a", of, of)), results(*repeats("a", of - 1, of))).could_tell is could_tell
