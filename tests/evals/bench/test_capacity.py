"""When calls are too many."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from evals.bench import capacity as module
from evals.bench.capacity import Load, findings, late_frames, levels, rounds, why_full
from evals.bench.errors import BenchError
from evals.bench.figures import Note
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


class FakeServer:
    """Holds so many calls; with more, answers are slow, or a caller is not connected."""

    def __init__(self, holds: int, *, refuses: bool = False) -> None:
        self.loads: list[int] = []
        self._holds = holds
        self._refuses = refuses

    async def load(self, _jarvis: Any, calls: int, _questions: int) -> Load:
        """One run."""
        self.loads.append(calls)
        if calls > self._holds and self._refuses:
            raise BenchError("Caller 3 of 3 was not connected.")
        return load(*[2000.0 if calls > self._holds else 700.0] * 10, calls=calls)


async def told(monkeypatch: pytest.MonkeyPatch, server: FakeServer, *, most: int) -> str:
    """What is said of its capacity."""

    @asynccontextmanager
    async def nothing(*_: Any, **__: Any) -> AsyncIterator[None]:
        yield None

    async def costs(*_: Any) -> list[Any]:
        return []

    monkeypatch.setattr(module, "vendors", nothing)
    monkeypatch.setattr(module, "running", nothing)
    monkeypatch.setattr(module, "_costs", costs)
    monkeypatch.setattr(module, "_load", server.load)
    measured = module.capacity(providers="doubles", recogniser="deepgram", runs=2, most=most, progress=lambda _: None)
    (note,) = [each for each in [each async for each in measured] if isinstance(each, Note)]
    return note.text


async def test_more_calls_are_tried_until_they_are_too_many(monkeypatch: pytest.MonkeyPatch):
    server = FakeServer(holds=3)
    assert (await told(monkeypatch, server, most=16)).startswith("Capacity: 3 calls at once. With 4: p95 of")
    assert server.loads == [1, 1, 2, 2, 3, 3, 4, 4]


async def test_where_all_fit_more_may(monkeypatch: pytest.MonkeyPatch):
    assert await told(monkeypatch, FakeServer(holds=9), most=3) == (
        "Capacity: at least 3 calls at once; more were not tried."
    )


async def test_a_caller_who_is_not_connected_makes_them_too_many(monkeypatch: pytest.MonkeyPatch):
    assert await told(monkeypatch, FakeServer(holds=2, refuses=True), most=8) == (
        "Capacity: 2 calls at once. With 3: Caller 3 of 3 was not connected."
    )


async def test_not_even_one_call_is_a_failure(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(BenchError):
        await told(monkeypatch, FakeServer(holds=0, refuses=True), most=8)
