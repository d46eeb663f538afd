"""`jarvis bench capacity`: how many calls at once one server holds until callers notice.

Callers are processes on the same cores, and so are the vendors' doubles: what fits here is less than what fits where
callers and vendors are elsewhere.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import ceil
from statistics import median

import aiohttp
import psutil

from evals.bench.errors import BenchError
from evals.bench.figures import Figure, Finding, Note, percentile
from evals.bench.launcher.callers import Caller, Heard, hung_up
from evals.bench.report import Providers
from evals.bench.servers import data_dir, running, variables, vendors
from evals.caller.errors import CallError
from evals.caller.ingress import Ingress
from evals.caller.line import WebRtcLine
from evals.drill.questions import IDS
from evals.program import Jarvis, ProgramError

LEVELS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
# A call holds no more than others where its slow answers take so much longer, or a frame comes so late.
RISE = 1.25
LATE_SECS = 0.04
FRAME_SECS = 0.02
# A 95th percentile of fewer is its largest.
ALONE_TURNS = 20
ROUNDS = 3
GREETING = "Hello, this is {name} at {business}."
GREETING_SECS = 6.0
SETTLE_SECS = 4.0
WINDOW_SECS = 8.0
# From the end of a question to the next, its answer between them.
ANSWER_SECS = 7.0

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Load:
    """What so many calls at once came to, once.

    `v2v_ms` are the answers' times, of `asked` questions; `late_frames` came 40 ms too late or later. CPU in percent of
    a core and private memory are those of one call's bot.
    """

    calls: int
    asked: int
    v2v_ms: tuple[float, ...]
    late_frames: int
    cpu_percent: float
    memory_mb: float


def why_full(alone: Sequence[Load], now: Sequence[Load]) -> str | None:
    """Why these runs are of too many calls, beside those of one call; None where they are not.

    A single late frame or lost answer counts where it comes in most of the runs: hosts stumble.
    """
    if lost := median(load.asked - len(load.v2v_ms) for load in now):
        return f"{lost:.0f} questions got no answer"
    usual, slow = (percentile([ms for load in loads for ms in load.v2v_ms], 95) for loads in (alone, now))
    if slow > RISE * usual:
        return f"p95 of voice to voice rose from {usual:.0f} to {slow:.0f} ms, by more than {100 * (RISE - 1):.0f} %"
    if late := median(load.late_frames for load in now):
        return f"{late:.0f} frames came {1000 * LATE_SECS:.0f} ms late or later"
    return None


def levels(most: int) -> list[int]:
    """The numbers of calls that are tried, one after another."""
    return sorted({*(level for level in LEVELS if level < most), most})


def rounds(calls: int, runs: int) -> int:
    """How many questions each caller asks in a run: enough for a 95th percentile over all runs."""
    return max(ROUNDS, ceil(ALONE_TURNS / (calls * runs)))


def findings(loads: Sequence[Load]) -> list[Figure]:
    """The runs of one number of calls."""
    of = f"{loads[0].calls} {'call' if loads[0].calls == 1 else 'calls'}"
    answers = tuple(ms for load in loads for ms in load.v2v_ms)
    found = [Figure("voice to voice", "ms", answers, of)] if answers else []
    return [
        *found,
        Figure("frames 40 ms late", "frames", tuple(float(load.late_frames) for load in loads), of),
        Figure("CPU of a call", "% of a core", tuple(load.cpu_percent for load in loads), of),
        Figure("private memory of a call", "MB", tuple(load.memory_mb for load in loads), of),
    ]


async def capacity(
    *, providers: Providers, recogniser: str, runs: int, most: int, progress: Progress
) -> AsyncIterator[Finding]:
    """One server, and more and more calls on it until `most`, or until they are too many."""
    async with vendors(providers, recogniser=recogniser) as served:
        with data_dir() as path:
            environment = variables(
                served, JARVIS_GREETING=GREETING, JARVIS_MAX_SESSIONS=str(most + 1), JARVIS_WARM_BOTS="2"
            )
            async with running(path, **environment) as jarvis:
                for finding in await _costs(jarvis, runs, progress):
                    yield finding
                alone: list[Load] = []
                held = 0
                for level in levels(most):
                    loads: list[Load] = []
                    try:
                        for number in range(1, runs + 1):
                            progress(f"{level} at once: run {number} of {runs}")
                            loads.append(await _load(jarvis, level, rounds(level, runs)))
                    except BenchError as error:
                        if not held:
                            raise
                        yield Note(f"Capacity: {held} calls at once. With {level}: {error}")
                        return
                    for figure in findings(loads):
                        yield figure
                    alone = alone or loads
                    if (reason := why_full(alone, loads)) is not None:
                        yield Note(f"Capacity: {held} calls at once. With {level}: {reason}.")
                        return
                    held = level
                yield Note(f"Capacity: at least {held} calls at once; more were not tried.")


async def _load(jarvis: Jarvis, calls: int, questions: int) -> Load:
    async with on_the_line(jarvis, calls) as callers:
        bots = [await _bot(jarvis, caller) for caller in callers]
        await asyncio.sleep(GREETING_SECS)
        began, taken = time.monotonic(), sum(map(_cpu_secs, bots))
        await asyncio.gather(
            *(
                _ask(caller, questions, first=number, wait_secs=number * ANSWER_SECS / calls)
                for number, caller in enumerate(callers)
            )
        )
        ended = time.monotonic()
        taken = sum(map(_cpu_secs, bots)) - taken
        memory = [_private_mb(bot) for bot in bots]
        try:
            heard = await hung_up(callers)
        except (TimeoutError, ValueError):
            raise BenchError("The callers did not say what they heard; this machine has no time for them.") from None
    return Load(
        calls=calls,
        asked=calls * questions,
        v2v_ms=tuple(ms for each in heard for ms in each.v2v_ms(began, ended)),
        late_frames=sum(late_frames(each, began, ended) for each in heard),
        cpu_percent=100 * taken / (ended - began) / calls,
        memory_mb=sum(memory) / calls,
    )


def late_frames(heard: Heard, start: float, stop: float) -> int:
    """How many frames came so late in that stretch; what the caller itself was late is taken off."""
    return sum(gap - FRAME_SECS >= LATE_SECS for gap in heard.gaps(start, stop))


@asynccontextmanager
async def on_the_line(jarvis: Jarvis, calls: int) -> AsyncIterator[list[Caller]]:
    """So many callers who are connected, and gone afterwards; raises `BenchError` where one is not taken."""
    callers: list[Caller] = []
    try:
        for number in range(1, calls + 1):
            try:
                callers.append(await Caller.call(jarvis))
            except (RuntimeError, TimeoutError):
                raise BenchError(f"Caller {number} of {calls} was not connected.") from None
        yield callers
    finally:
        for caller in callers:
            caller.leave()


async def _ask(caller: Caller, questions: int, *, first: int, wait_secs: float) -> None:
    await asyncio.sleep(wait_secs)
    for number in range(first, first + questions):
        try:
            await caller.ask(IDS[number % len(IDS)])
        except TimeoutError:
            raise BenchError("A caller could not speak for lack of time on this machine.") from None
        await asyncio.sleep(ANSWER_SECS)


async def _bot(jarvis: Jarvis, caller: Caller) -> psutil.Process:
    try:
        return await asyncio.to_thread(jarvis.bot_of, caller.session_id)
    except ProgramError:
        raise BenchError("A bot was lost, or does not say which call it has.") from None


def _cpu_secs(bot: psutil.Process) -> float:
    times = bot.cpu_times()
    return times.user + times.system


def _private_mb(bot: psutil.Process) -> float:
    return bot.memory_full_info().uss / 2**20


async def _costs(jarvis: Jarvis, runs: int, progress: Progress) -> list[Figure]:
    """What one call costs while the bot speaks, and while nobody does."""
    talking, idle = [], []
    for number in range(1, runs + 1):
        progress(f"one call in which nobody asks: run {number} of {runs}")
        spoken, silent = await _cost_of_a_call(jarvis)
        talking.append(spoken)
        idle.append(silent)
    return [
        Figure("CPU of a call, bot speaking", "% of a core", tuple(talking), "1 call"),
        Figure("CPU of a call, nobody speaking", "% of a core", tuple(idle), "1 call"),
    ]


async def _cost_of_a_call(jarvis: Jarvis) -> tuple[float, float]:
    line = WebRtcLine(only_loopback=True)
    async with aiohttp.ClientSession() as http:
        ingress = Ingress(base_url=jarvis.url, http=http)
        try:
            session = await ingress.create()
            try:
                bot = await asyncio.to_thread(jarvis.bot_of, session.id)
                await line.connect(lambda offer: ingress.offer(session, offer))
                talking = await _cpu_percent(bot, GREETING_SECS)
                await asyncio.sleep(SETTLE_SECS)
                return talking, await _cpu_percent(bot, WINDOW_SECS)
            finally:
                await ingress.hang_up(session)
                await line.close()
        except CallError as error:
            raise BenchError(f"Jarvis could not be called: {error}") from None


async def _cpu_percent(bot: psutil.Process, secs: float) -> float:
    """CPU of this bot over so many seconds, in percent of a core."""
    bot.cpu_percent()
    await asyncio.sleep(secs)
    return bot.cpu_percent()
