"""`jarvis bench soak`: calls for as long as one likes, and whether memory, descriptors and threads stay as they are.

The first caller stays on the line all the time, the others call anew after some turns: what grows in a call shows in
the first one's bot, what calls leave behind shows in the server.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from evals.bench.capacity import ANSWER_SECS, on_the_line
from evals.bench.errors import BenchError
from evals.bench.figures import Figure, Finding, Note
from evals.bench.launcher.callers import Caller
from evals.bench.report import Providers
from evals.bench.servers import data_dir, running, variables, vendors
from evals.bench.trend import Slope, Verdict, slope
from evals.drill.questions import IDS
from evals.program import Jarvis, ProgramError

TURNS_A_CALL = 5
LOOK_SECS = 5.0
# What is loaded and filled by first use is no growth.
SETTLING = 0.2
SHOWN_SECS = 60.0

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Watched:
    """What is counted: its unit, and by how much it may grow in an hour."""

    name: str
    unit: str
    allowed: float


MEMORY = Watched("private memory", "MB", 10.0)
DESCRIPTORS = Watched("descriptors", "open", 1.0)
THREADS = Watched("threads", "threads", 1.0)
WATCHED = (MEMORY, DESCRIPTORS, THREADS)


@dataclass
class Series:
    """What one group of processes had, look by look."""

    of: str
    at_secs: list[float] = field(default_factory=list)
    values: dict[Watched, list[float]] = field(default_factory=lambda: {each: [] for each in WATCHED})

    def take(self, at_secs: float, processes: Sequence[psutil.Process]) -> None:
        """Looks once; a process that is gone meanwhile makes it no look."""
        try:
            looks = {
                MEMORY: sum(each.memory_full_info().uss for each in processes) / 2**20,
                DESCRIPTORS: float(sum(each.num_fds() for each in processes)),
                THREADS: float(sum(each.num_threads() for each in processes)),
            }
        except psutil.Error:
            return
        self.at_secs.append(at_secs)
        for watched, value in looks.items():
            self.values[watched].append(value)

    def figures(self) -> list[Figure]:
        """What it had, since it settled."""
        return [
            Figure(watched.name, watched.unit, tuple(values), self.of)
            for watched, values in self._settled().items()
            if values
        ]

    def slopes(self) -> dict[Watched, Slope | None]:
        """How each grew since it settled; None where there were too few looks."""
        at_secs = self.at_secs[self._from :]
        return {watched: slope(at_secs, values) for watched, values in self._settled().items()}

    @property
    def _from(self) -> int:
        return int(len(self.at_secs) * SETTLING)

    def _settled(self) -> dict[Watched, list[float]]:
        return {watched: values[self._from :] for watched, values in self.values.items()}


def conclusion(of: str, watched: Watched, grown: Slope | None) -> tuple[Note, Verdict]:
    """What a slope says, as a sentence."""
    what = f"{of}, {watched.name}"
    if grown is None:
        return Note(f"{what}: {Verdict.UNKNOWN}"), Verdict.UNKNOWN
    verdict = grown.verdict(allowed=watched.allowed)
    interval = f"{grown.an_hour:+.1f} {watched.unit} an hour (95 %: {grown.low:+.1f} to {grown.high:+.1f}"
    return Note(f"{what}: {verdict}, {interval}; allowed {watched.allowed:+.1f})"), verdict


@dataclass
class Soak:
    """What grew in it; a bench that found something fails."""

    grew: bool = False


async def soak(
    *, providers: Providers, recogniser: str, calls: int, minutes: float, outcome: Soak, progress: Progress
) -> AsyncIterator[Finding]:
    """So many calls at once for so many minutes; whether something grew stands in `outcome` then."""
    async with vendors(providers, recogniser=recogniser) as served:
        with data_dir() as path:
            environment = variables(served, JARVIS_MAX_SESSIONS=str(calls + 1))
            async with running(path, **environment) as jarvis, on_the_line(jarvis, 1) as (stayer,):
                bot = await asyncio.to_thread(jarvis.bot_of, stayer.session_id)
                held = Held()
                talking = [
                    asyncio.create_task(_talk(stayer, held), name="stayer"),
                    *(asyncio.create_task(_call_anew(jarvis, held), name="caller") for _ in range(calls - 1)),
                ]
                try:
                    server, call = Series("server"), Series("call that stays")
                    async for figure in _watch(jarvis, bot, (server, call), minutes, talking, held, progress):
                        yield figure
                finally:
                    for task in talking:
                        task.cancel()
                    await asyncio.gather(*talking, return_exceptions=True)
    for series in (server, call):
        for watched, grown in series.slopes().items():
            note, verdict = conclusion(series.of, watched, grown)
            outcome.grew |= verdict is Verdict.GROWS
            yield note
    yield Note(f"{held.calls} calls and {held.turns} turns in {minutes:g} minutes, {calls} at once.")


@dataclass
class Held:
    """What was done meanwhile."""

    calls: int = 1
    turns: int = 0


async def _watch(
    jarvis: Jarvis,
    bot: psutil.Process,
    series: tuple[Series, Series],
    minutes: float,
    talking: Sequence[asyncio.Task[None]],
    held: Held,
    progress: Progress,
) -> AsyncIterator[Figure]:
    began = shown = time.monotonic()
    while (passed := time.monotonic() - began) < 60 * minutes:
        await asyncio.sleep(LOOK_SECS)
        for task in talking:
            if task.done():
                task.result()
        if not bot.is_running():
            raise BenchError("The bot of the call that stays is gone.")
        await asyncio.to_thread(series[0].take, passed, _own(jarvis))
        await asyncio.to_thread(series[1].take, passed, [bot])
        progress(f"{passed / 60:.1f} of {minutes:g} minutes, {held.calls} calls, {held.turns} turns")
        if time.monotonic() - shown > SHOWN_SECS:
            shown = time.monotonic()
            for each in series:
                for figure in each.figures():
                    yield figure
    for each in series:
        for figure in each.figures():
            yield figure


def _own(jarvis: Jarvis) -> list[psutil.Process]:
    """The server and what it keeps besides bots and databases: what should be after a thousand calls as after one."""
    own = [jarvis.process]
    for child in jarvis.process.children():
        with suppress(psutil.Error):
            if any("python" in part for part in child.cmdline()[:1]):
                own.append(child)
    return own


async def _talk(caller: Caller, held: Held, *, turns: int | None = None) -> None:
    """Asks so many questions, or for good."""
    asked = 0
    while turns is None or asked < turns:
        try:
            await caller.ask(IDS[asked % len(IDS)])
        except TimeoutError:
            raise BenchError("A caller could not speak for lack of time on this machine.") from None
        asked += 1
        held.turns += 1
        await asyncio.sleep(ANSWER_SECS)


async def _call_anew(jarvis: Jarvis, held: Held) -> None:
    """Calls, asks, hangs up, and calls again."""
    while True:
        async with on_the_line(jarvis, 1) as (caller,):
            held.calls += 1
            await _talk(caller, held, turns=TURNS_A_CALL)
            with suppress(TimeoutError, ValueError, ProgramError):
                await caller.hang_up()
