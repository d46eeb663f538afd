"""When calls are too many."""

from typing import Any

import pytest

from evals.bench.capacity import Load, findings, late_frames, levels, rounds, why_full
from evals.bench.launcher.callers import Heard


def load(*v2v_ms: float, calls: int = 1, asked: int | None = None, late: int = 0) -> Load:
    return Load(calls, len(v2v_ms) if asked is None else asked, v2v_ms, late, cpu_percent=8.0, memory_mb=46.0)


ALONE = [load(700, 710, 720), load(705, 715, 725)]


def test_as_many_fit_as_are_answered_as_soon():
    assert why_full(ALONE, [load(800, 850, 900, calls=4)]) is None


def test_slow_answers_make_them_too_many():
    assert why_full(ALONE, [load(700, 700, 910, calls=4), load(700, 920, 920, calls=4)]) == (
        "p95 of voice to voice rose from 724 to 920 ms, by more than 25 %"
    )


def test_lost_answers_make_them_too_many():
    assert why_full(ALONE, [load(700, asked=3), load(700, asked=3)]) == "2 questions got no answer"


def test_late_frames_make_them_too_many():
    assert why_full(ALONE, [load(700, late=3), load(700, late=1)]) == "2 frames came 40 ms late or later"


def test_what_comes_in_one_run_of_three_is_a_stumble_of_the_host():
    assert why_full(ALONE, [load(700, late=9), load(700), load(700)]) is None


def test_one_call_that_is_not_answered_is_too_many_already():
    assert why_full([load(asked=3)], [load(asked=3)]) == "3 questions got no answer"


@pytest.mark.parametrize(("most", "tried"), [(1, [1]), (5, [1, 2, 3, 4, 5]), (8, [1, 2, 3, 4, 6, 8])])
def test_the_last_number_that_is_tried_is_the_one_that_was_asked_for(most: int, tried: list[int]):
    assert levels(most) == tried


@pytest.mark.parametrize(("calls", "runs", "asked"), [(1, 1, 20), (1, 3, 7), (8, 3, 3)])
def test_all_runs_together_have_answers_enough_for_a_95th_percentile(calls: int, runs: int, asked: int):
    assert rounds(calls, runs) == asked
    assert calls * runs * asked >= 20


@pytest.mark.parametrize(("gap_secs", "late"), [(0.02, 0), (0.055, 0), (0.065, 1)])
def test_a_frame_is_late_that_comes_40_ms_after_its_time(gap_secs: float, late: int):
    nothing: dict[str, Any] = {"voiced": [], "asked": [], "began": [], "end_reason": None, "lags": []}
    heard = Heard(arrivals=[0.02, 0.02 + gap_secs], **nothing)
    assert late_frames(heard, 0.0, 0.04 + gap_secs) == late


def test_the_figures_of_a_number_of_calls_say_of_how_many():
    found = {each.name: each for each in findings([load(700, 800, calls=2), load(900, calls=2, late=1)])}
    assert found["voice to voice"].values == (700, 800, 900)
    assert found["frames 40 ms late"].values == (0, 1)
    assert {each.of for each in found.values()} == {"2 calls"}


def test_without_an_answer_there_is_no_figure_of_one():
    assert "voice to voice" not in {each.name for each in findings([load(asked=2)])}
