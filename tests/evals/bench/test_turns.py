"""What bots are compared by."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from evals.bench import turns as module
from evals.bench.errors import BenchError
from evals.bench.figures import Figure, Note
from evals.bench.turns import Contender, conclusions, rotated, turns
from evals.caller.errors import CallError
from evals.caller.report import CallReport, TurnReport


def turn(v2v_ms: float | None, yield_ms: float | None = None) -> TurnReport:
    return TurnReport(
        asked="q", heard="", said="", citations=(), v2v_ms=v2v_ms, interrupted=yield_ms is not None, yield_ms=yield_ms,
        longest_gap_ms=0.0, answered=v2v_ms is not None,
    )  # fmt: skip


def bot(name: str, *v2v: float) -> Contender:
    return Contender(name, "http://127.0.0.1:1", v2v=[*v2v])


def test_only_turns_that_were_answered_in_their_time_are_in_the_figure():
    jarvis = bot("Jarvis")
    jarvis.take([turn(700.0), turn(None), turn(-200.0)], spoken_over=False)
    assert jarvis.findings() == [Figure("voice to voice", "ms", (700.0,), "Jarvis")]
    assert [note.text for note in jarvis.missing()] == [
        "Jarvis: turns without an answer: 1",
        "Jarvis: turns answered before they were over: 1",
    ]


def test_calls_that_are_spoken_over_say_how_soon_it_is_silent_and_nothing_else():
    jarvis = bot("Jarvis")
    jarvis.take([turn(700.0, 210.0), turn(None, 220.0), turn(800.0)], spoken_over=True)
    assert jarvis.findings() == [Figure("barge-in to silence", "ms", (210.0, 220.0), "Jarvis")]
    assert jarvis.missing() == []


@pytest.mark.parametrize(("by", "order"), [(0, "abc"), (1, "bca"), (5, "cab")])
def test_each_bot_is_first_in_its_turn(by: int, order: str):
    assert "".join(each.name for each in rotated([bot("a"), bot("b"), bot("c")], by)) == order


def test_the_others_are_what_this_one_is_compared_with():
    notes = conclusions([bot("Jarvis", 700.0), bot("stock Pipecat", 1000.0)], served=True)
    assert notes[0].text.startswith("voice to voice: Jarvis takes 0.70 ")
    assert any("670 ms" in note.text for note in notes)
    assert any("LiveKit Agents is not measured" in note.text for note in notes)


def test_without_doubles_there_is_nobody_to_compare_with():
    assert conclusions([bot("Jarvis", 700.0)], served=False) == []


class FakeDoubles:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.answers: list[str] = []

    async def tell(self, *, answer: str) -> None:
        """Takes it."""
        self.answers.append(answer)


@pytest.fixture
def placed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, bool]]:
    """The calls: whom, how many turns, and whether they were spoken over."""
    calls: list[tuple[str, int, bool]] = []

    async def call(*, base_url: str, turns: Any, barge_in_secs: float | None, **_: Any) -> CallReport:
        calls.append((base_url, len(turns), barge_in_secs is not None))
        reports = [turn(700.0, 200.0 if barge_in_secs else None) for _ in turns]
        return CallReport("s", None, tuple(reports), None)

    @asynccontextmanager
    async def vendors(*_: Any, **__: Any) -> AsyncIterator[FakeDoubles]:
        yield FakeDoubles()

    @asynccontextmanager
    async def contenders(_served: Any) -> AsyncIterator[list[Contender]]:
        yield [Contender("Jarvis", "a"), Contender("stock Pipecat", "b")]

    monkeypatch.setattr(module, "call", call)
    monkeypatch.setattr(module, "vendors", vendors)
    monkeypatch.setattr(module, "_contenders", contenders)
    return calls


async def test_bots_are_called_in_turns_after_one_call_that_does_not_count(placed: list[tuple[str, int, bool]]):
    measured = turns(providers="doubles", recogniser="deepgram", runs=2, progress=lambda _: None)
    found = [finding async for finding in measured]
    assert [(url, count) for url, count, _ in placed] == [
        ("a", 1), ("b", 1),
        ("a", 5), ("a", 3), ("b", 5), ("b", 3),
        ("b", 5), ("b", 3), ("a", 5), ("a", 3),
    ]  # fmt: skip
    figures = [each for each in found if isinstance(each, Figure) and each.of == "Jarvis"]
    assert [len(each.values) for each in figures] == [5, 3, 10, 6]
    assert any(isinstance(each, Note) for each in found)


async def test_a_bot_that_can_not_be_called_is_named(monkeypatch: pytest.MonkeyPatch, placed: list[Any]):
    async def call(**_: Any) -> CallReport:
        raise CallError("No server answers.")

    monkeypatch.setattr(module, "call", call)
    with pytest.raises(BenchError, match="Jarvis could not be called: No server answers"):
        async for _ in turns(providers="doubles", recogniser="deepgram", runs=1, progress=lambda _: None):
            pass
