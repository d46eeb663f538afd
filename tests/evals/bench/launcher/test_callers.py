"""What a caller's ears say: gaps, and answers."""

from typing import Any

import pytest

from evals.bench.launcher.callers import ANSWER_SECS, Heard


def heard(**parts: Any) -> Heard:
    nothing: dict[str, Any] = {
        "arrivals": [],
        "voiced": [],
        "asked": [],
        "began": [0.0],
        "end_reason": None,
        "lags": [],
    }
    return Heard(**nothing | parts)


def longest(told: Heard, start: float = 0.0, stop: float = 1.0) -> float:
    return round(max(told.gaps(start, stop)), 3)


def test_a_gap_is_the_time_between_two_frames():
    assert longest(heard(arrivals=[0.0, 0.3, 0.4, 0.9])) == 0.5


def test_a_line_on_which_nothing_comes_is_one_long_gap():
    assert longest(heard()) == 1.0


def test_silence_up_to_the_end_counts():
    assert longest(heard(arrivals=[0.1, 0.2])) == 0.8


@pytest.mark.parametrize(("lag", "gap"), [((0.3, 0.2), 0.3), ((0.0, 0.3), 0.4), ((2.0, 0.5), 0.5)])
def test_only_what_the_caller_was_late_is_taken_off(lag: tuple[float, float], gap: float):
    assert longest(heard(arrivals=[0.2, 0.7, 0.9], lags=[lag])) == gap


def test_an_answer_is_the_first_voice_after_the_question():
    assert heard(asked=[(1.0, 2.0)], voiced=[(0.0, 0.5), (2.7, 4.0), (5.0, 6.0)]).v2v_ms(0, 9) == [pytest.approx(700)]


@pytest.mark.parametrize("voice", [2.0 + ANSWER_SECS, 6.5], ids=["too late", "after the next question"])
def test_a_voice_that_comes_too_late_is_no_answer(voice: float):
    assert heard(asked=[(1.0, 2.0), (6.0, 20.0)], voiced=[(voice, 30.0)]).v2v_ms(0, 5) == []
