"""Where things stand on a drawn timeline."""

import numpy as np

from evals.report.results import Span
from evals.report.sound import Sound
from evals.report.timeline import MOST_ROWS, PEAKS_PER_SEC, PX_PER_SEC, WIDEST_PX, draw
from tests.evals.report.sample import timeline


def span(lane: str, begin: float, end: float | None = None, label: str = "") -> Span:
    return Span(lane=lane, from_ms=begin, to_ms=end, label=label)


def test_lanes_stand_in_the_order_of_a_call_and_below_each_other():
    chart = draw([Span.model_validate(each) for each in timeline()], None)
    assert chart is not None
    titles = [lane.title for lane in chart.lanes]
    assert titles == ["caller", "bot", "VAD", "turns", "STT", "retrieval", "LLM", "TTS", "faults"]
    assert all(
        upper.top + upper.height == lower.top for upper, lower in zip(chart.lanes, chart.lanes[1:], strict=False)
    )
    assert chart.height == chart.lanes[-1].top + chart.lanes[-1].height


def test_a_bar_is_as_long_as_what_it_stands_for():
    chart = draw([span("llm", 1000, 3500, "an answer")], None)
    assert chart is not None
    (bar,) = chart.lanes[0].bars
    assert (bar.x, bar.width, bar.text) == (PX_PER_SEC, 2.5 * PX_PER_SEC, "an answer")
    assert bar.title == "1.00 s to 3.50 s, 2500 ms: an answer"


def test_a_text_that_does_not_fit_is_shortened_and_kept_in_the_title():
    chart = draw([span("llm", 0, 1000, "a long long answer"), span("llm", 2000, 2010, "quick")], None)
    assert chart is not None
    long, quick = chart.lanes[0].bars
    assert long.text.endswith("…")
    assert "a long long answer" in long.title
    assert quick.text == ""


def test_bars_that_overlap_stand_under_each_other_and_the_next_one_above_again():
    chart = draw([span("tts", 0, 1000), span("tts", 500, 1500), span("tts", 1000, 2000)], None)
    assert chart is not None
    first, second, third = chart.lanes[0].bars
    assert first.y == third.y < second.y


def test_so_many_bars_at_once_stay_in_their_lane():
    chart = draw([span("tts", 0, 1000)] * 20, None)
    assert chart is not None
    (lane,) = chart.lanes
    assert len({bar.y for bar in lane.bars}) == MOST_ROWS
    assert all(bar.y + 16 <= lane.top + lane.height for bar in lane.bars)


def test_a_moment_is_a_mark():
    chart = draw([span("fault", 1500, None, "tts: stall"), span("bot", 0, 3000)], None)
    assert chart is not None
    (mark,) = chart.lanes[1].marks
    assert (mark.x, mark.text, mark.title) == (1.5 * PX_PER_SEC, "tts: stall", "1.50 s: tts: stall")


def test_the_text_of_the_last_moment_is_in_the_chart():
    chart = draw([span("stt", 1000, None, "good morning")], None)
    assert chart is not None
    assert chart.width > PX_PER_SEC + 60


def test_the_texts_of_moments_close_together_do_not_cover_each_other():
    chart = draw([span("stt", 1000, None, "good morning"), span("stt", 1500, None, "hello")], None)
    assert chart is not None
    first, second = chart.lanes[0].marks
    assert (first.text, second.text) == ("good morning", "hello")
    assert second.y > first.y


def test_a_lane_that_nobody_named_here_comes_last():
    chart = draw([span("sip", 0, 1000), span("fault", 0, 1000)], None)
    assert chart is not None
    assert [lane.name for lane in chart.lanes] == ["fault", "sip"]


def test_the_recording_is_drawn_and_as_long_as_it_is():
    peaks = np.zeros(5 * PEAKS_PER_SEC)
    peaks[2 * PEAKS_PER_SEC : 3 * PEAKS_PER_SEC] = 1.0
    chart = draw([span("caller", 0, 1000)], Sound(5.0, (np.zeros_like(peaks), peaks)))
    assert chart is not None
    caller, bot = chart.lanes
    assert chart.width == 5 * PX_PER_SEC
    assert caller.wave == f"M0 48h{5 * PX_PER_SEC:.0f}"
    assert bot.wave.count("v44") == PEAKS_PER_SEC
    assert bot.wave.startswith(f"M0 {bot.top + 26:.0f}h{5 * PX_PER_SEC:.0f}M{2 * PX_PER_SEC:.0f} ")


def test_a_call_of_hours_is_still_a_chart_of_some_width():
    chart = draw([span("bot", 0, 6 * 3_600_000)], None)
    assert chart is not None
    assert chart.width == WIDEST_PX
    assert len(chart.ticks) < 250


def test_what_ends_before_it_begins_or_begins_before_the_call_is_drawn_in_it():
    chart = draw([span("vad", 2000, 1000), span("vad", -500, 100)], None)
    assert chart is not None
    assert all(bar.x >= 0 and bar.width > 0 for bar in chart.lanes[0].bars)


def test_nothing_makes_no_chart():
    assert draw([], None) is None
