"""Holds a drill: places the calls, has vendors fail in them, and keeps what was heard."""

import asyncio
import itertools
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from typing import Any

import aiohttp

from evals.caller.call import Turn, call
from evals.caller.conversation import CallEvent, Stage
from evals.caller.errors import CallError
from evals.caller.report import CallReport, TurnReport
from evals.caller.speaker import FliteSpeaker
from evals.drill.doubles import Doubles, doubles
from evals.drill.measure import DrillTurn, Verdict, verdict
from evals.drill.questions import Asked, questions
from evals.drill.scenarios import OPENED, VENDORS, Kind, Scenario
from evals.drill.stack import Stack, stack
from evals.program import RECORDINGS
from processors.failover.circuit import REST_SECS

# The fault by which a circuit is opened.
OPENING_FAULT = "server_error"
# From where a caller begins to speak to where a connection breaks, in the midst of what is said.
MIDST_SECS = 1.2
LOOK_SECS = 0.05
NOTICE_SECS = 6.0
# A bot that the server hears of each second tells of a circuit that long after it.
TOLD_SECS = 1.5

OnTurns = Callable[[Scenario, Sequence[DrillTurn]], None]


async def drill(calls: Sequence[Scenario], *, lines: int, on_turns: OnTurns) -> list[DrillTurn]:
    """Places these calls, so many at once, each line on a Jarvis of its own; raises `DrillError`."""
    waiting = iter(calls)
    found = await asyncio.gather(*(_line(waiting, on_turns) for _ in range(min(lines, len(calls)))))
    return [turn for turns in found for turn in turns]


async def _line(waiting: Iterator[Scenario], on_turns: OnTurns) -> list[DrillTurn]:
    names = [f"{stage}/{name}" for stage, vendors in VENDORS.items() for name in vendors]
    asked = questions()
    turns: list[DrillTurn] = []
    async with doubles(names) as served, stack(served.variables) as running:
        await served.tell(phrases={each.words: each.phrase for each in asked})
        for number, scenario in enumerate(waiting):
            found = await Held(scenario, served, running, _shifted(asked, number)).place()
            turns += found
            on_turns(scenario, found)
            if await running.has_open_circuit():
                await running.renew()
    return turns


class Held:
    """One scenario, by one call; knows each turn's beginning, and how often the vendors were asked until then."""

    def __init__(self, scenario: Scenario, served: Doubles, running: Stack, asked: Sequence[Asked]) -> None:
        self._scenario = scenario
        self._served = served
        self._running = running
        self._asked = list(itertools.islice(itertools.cycle(asked), len(scenario.turns)))
        self._counts: list[asyncio.Future[dict[str, int]]] = []
        self._began: list[float] = []
        self._noticed: dict[int, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def place(self) -> list[DrillTurn]:
        """Its turns; all of them lost where no call came about."""
        try:
            report = await call(
                base_url=self._running.url,
                key=self._running.key,
                turns=[Turn(RECORDINGS / "slt" / f"{each.id}.flac") for each in self._asked],
                speaker=FliteSpeaker(),
                on_event=self._follow,
            )
        except CallError:
            report = None
        finally:
            self._counts.append(self._served.tell(double=f"{self._scenario.stage}/{self._scenario.vendor}", fault=None))
            for task in self._tasks:
                task.cancel()
        counts = [await each for each in self._counts]
        return [self._turn(number, report, counts) for number in range(len(self._scenario.turns))]

    def _follow(self, event: CallEvent) -> None:
        if event.stage is not Stage.ASKING:
            return
        number, scenario = len(self._began), self._scenario
        self._began.append(time.monotonic())
        self._counts.append(self._served.tell(hear=self._asked[number].words))
        double = f"{scenario.stage}/{scenario.vendor}"
        if scenario.turns[number] is not Kind.FAULTY:
            self._served.tell(double=double, fault=None)
        elif scenario.cuts or scenario.freezes:
            self._later(self._break(number, double))
        else:
            self._served.tell(double=double, fault=self._fault)

    @property
    def _fault(self) -> str:
        return OPENING_FAULT if self._scenario.fault == OPENED else self._scenario.fault

    async def _break(self, number: int, double: str) -> None:
        if self._scenario.stage == "stt":
            await asyncio.sleep(MIDST_SECS)
        if not self._scenario.freezes:
            self._served.tell(double=double, fault=self._fault)
            self._served.tell(double=double, do="hang_up")
            return
        with suppress(aiohttp.ClientError, TimeoutError):
            before = await self._running.failovers(self._scenario.stage)
            since = time.monotonic()
            self._served.tell(double=double, do="freeze")
            while time.monotonic() - since < NOTICE_SECS:
                if await self._running.failovers(self._scenario.stage) > before:
                    self._noticed[number] = (time.monotonic() - since) * 1000
                    return
                await asyncio.sleep(LOOK_SECS)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(asyncio.create_task(work))

    def _turn(self, number: int, report: CallReport | None, counts: Sequence[dict[str, int]]) -> DrillTurn:
        scenario, heard = self._scenario, _heard(report, number)
        first, second = (f"{scenario.stage}/{name}" for name in VENDORS[scenario.stage])
        by_first = number + 1 < len(counts) and (
            counts[number + 1][first] > counts[number][first] and counts[number + 1][second] == counts[number][second]
        )
        return DrillTurn(
            stage=scenario.stage,
            fault=scenario.fault,
            kind=scenario.turns[number],
            verdict=Verdict.LOST
            if heard is None
            else verdict(heard.said, self._asked[number].answer, answered=heard.answered),
            silence_ms=None if heard is None else heard.v2v_ms,
            gap_ms=0.0 if heard is None else heard.longest_gap_ms,
            by_first=by_first,
            noticed_ms=self._noticed.get(number),
            rested=self._rested(number),
            question=self._asked[number].id,
            said="" if heard is None else heard.said,
        )

    def _rested(self, number: int) -> bool:
        """Whether the rest after the last failure is surely over when this turn begins."""
        failed = [place for place, kind in enumerate(self._scenario.turns) if kind is Kind.FAULTY]
        if self._scenario.fault != OPENED or number <= failed[-1] or number >= len(self._began):
            return False
        # The failure came before the turn after it began.
        return self._began[number] > self._began[failed[-1] + 1] + REST_SECS + TOLD_SECS


def _heard(report: CallReport | None, number: int) -> TurnReport | None:
    return report.turns[number] if report is not None and number < len(report.turns) else None


def _shifted(asked: Sequence[Asked], by: int) -> list[Asked]:
    """Beginning with another one each time."""
    by %= len(asked)
    return [*asked[by:], *asked[:by]]
