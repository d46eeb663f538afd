"""How a drill is held, with a call that is not placed."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from evals.caller.call import Turn
from evals.caller.conversation import CallEvent, OnEvent, Stage
from evals.caller.errors import CallError
from evals.caller.report import CallReport, TurnReport
from evals.drill import run
from evals.drill.measure import DrillTurn, Verdict
from evals.drill.questions import questions
from evals.drill.scenarios import Kind, Scenario

ASKED = questions()


class FakeDoubles:
    """Notes what it is told; in each turn the vendor is asked once, and another one too where it is to fail."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self._counts = {"llm/openai": 0, "llm/anthropic": 0}

    def tell(self, **what: Any) -> asyncio.Future[dict[str, int]]:
        """At once."""
        answer: asyncio.Future[dict[str, int]] = asyncio.get_running_loop().create_future()
        answer.set_result(dict(self._counts))
        self.told.append(what)
        if what.get("double") == "llm/openai":
            self._counts["llm/openai"] += 1
            self._counts["llm/anthropic"] += what["fault"] is not None
        return answer


class FakeStack:
    """Runs nothing."""

    url, key = "http://nowhere", "k"


def answered(number: int) -> TurnReport:
    """The right one."""
    return TurnReport(
        asked="", heard="", said=ASKED[number].answer, citations=(), v2v_ms=800.0, interrupted=False, yield_ms=None,
        longest_gap_ms=0.0, answered=True,
    )  # fmt: skip


async def talk(*, turns: Sequence[Turn], on_event: OnEvent, **_: Any) -> CallReport:
    """A call in which all goes well."""
    for turn in turns:
        on_event(CallEvent(Stage.ASKING, turn.shown))
    return CallReport("s", None, tuple(answered(number) for number in range(len(turns))), None)


async def no_call(**_: Any) -> CallReport:
    """None comes about."""
    raise CallError("nobody is there")


async def placed(monkeypatch: pytest.MonkeyPatch, call: Any) -> tuple[list[DrillTurn], FakeDoubles]:
    monkeypatch.setattr(run, "call", call)
    served, scenario = FakeDoubles(), Scenario("llm", "stall", (Kind.GOOD, Kind.FAULTY, Kind.GOOD))
    return await run.Held(scenario, served, FakeStack(), ASKED).place(), served  # type: ignore[arg-type]


async def test_the_vendor_fails_in_the_turns_that_are_faulty_and_in_no_other(monkeypatch: pytest.MonkeyPatch):
    _, served = await placed(monkeypatch, talk)
    assert [each["fault"] for each in served.told if "fault" in each] == [None, "stall", None, None]


async def test_recognisers_hear_what_is_asked(monkeypatch: pytest.MonkeyPatch):
    _, served = await placed(monkeypatch, talk)
    assert [each["hear"] for each in served.told if "hear" in each] == [each.words for each in ASKED[:3]]


async def test_a_turn_is_the_first_vendors_where_no_other_was_asked(monkeypatch: pytest.MonkeyPatch):
    turns, _ = await placed(monkeypatch, talk)
    assert [(turn.verdict, turn.by_first) for turn in turns] == [
        (Verdict.ONCE, True),
        (Verdict.ONCE, False),
        (Verdict.ONCE, True),
    ]


async def test_where_no_call_comes_about_its_turns_are_lost(monkeypatch: pytest.MonkeyPatch):
    turns, _ = await placed(monkeypatch, no_call)
    assert [turn.verdict for turn in turns] == [Verdict.LOST] * 3
