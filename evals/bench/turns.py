"""`jarvis bench turns`: how long callers wait for an answer, and for silence when they speak over one.

All of it is measured on the recorded audio of real WebRTC calls. With the vendors' doubles a bot of Pipecat's own parts
is called in turns with this one, over the same doubles, so that whatever else the host does meets both.
"""

import asyncio
import itertools
import json
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from evals.bench.errors import BenchError
from evals.bench.figures import Figure, Finding, Note, compared
from evals.bench.report import Providers
from evals.bench.servers import ANSWER, FINAL_SECS, SOUND_SECS, TOKEN_SECS, data_dir, running, variables, vendors
from evals.caller.call import Turn, call
from evals.caller.errors import CallError
from evals.caller.report import TurnReport
from evals.caller.speaker import FliteSpeaker
from evals.drill.doubles import Doubles
from evals.drill.questions import IDS
from evals.program import RECORDINGS, ROOT

JARVIS, STOCK = "Jarvis", "stock Pipecat"
# The doubles hear the same words whatever is said; embedded parts hear what there is.
QUESTIONS: dict[Providers, Sequence[str]] = {
    "doubles": IDS,
    "embedded": ("q04", "q18", "q14", "q30", "q03", "q19", "q25", "q10", "q27", "q01"),
}
TURNS_A_CALL, INTERRUPTED_A_CALL = 5, 3
BARGE_IN_SECS = 1.5
LONG_ANSWER = f"{ANSWER} On Sundays we open at eleven, and the workshop is closed. {ANSWER} That is so all year."
START_SECS, STOP_SECS = 60.0, 15.0
NO_LIVEKIT = "LiveKit Agents is not measured beside them: it is not installed with Jarvis."

Progress = Callable[[str], None]


@dataclass
class Contender:
    """A bot that is called, and what was heard of it, in milliseconds."""

    name: str
    url: str
    v2v: list[float] = field(default_factory=list)
    yields: list[float] = field(default_factory=list)
    silent: int = 0
    early: int = 0

    def take(self, turns: Sequence[TurnReport], *, spoken_over: bool) -> None:
        """Keeps what a call's turns came to."""
        if spoken_over:
            self.yields += [turn.yield_ms for turn in turns if turn.yield_ms is not None]
            return
        self.v2v += [turn.v2v_ms for turn in turns if turn.v2v_ms is not None and turn.v2v_ms >= 0]
        self.silent += sum(turn.v2v_ms is None for turn in turns)
        self.early += sum(turn.v2v_ms is not None and turn.v2v_ms < 0 for turn in turns)

    @property
    def v2v_figure(self) -> Figure:
        """The times to the answers."""
        return Figure("voice to voice", "ms", tuple(self.v2v), self.name)

    def findings(self) -> list[Finding]:
        """What is known so far."""
        found: list[Finding] = [self.v2v_figure] if self.v2v else []
        if self.yields:
            found.append(Figure("barge-in to silence", "ms", tuple(self.yields), self.name))
        return found

    def missing(self) -> list[Note]:
        """The turns that are in no figure."""
        told = (("without an answer", self.silent), ("answered before they were over", self.early))
        return [Note(f"{self.name}: turns {what}: {count}") for what, count in told if count]


async def turns(*, providers: Providers, recogniser: str, runs: int, progress: Progress) -> AsyncIterator[Finding]:
    """Calls each bot `runs` times for answers and as often to be spoken over; tells the figures as they grow."""
    places = itertools.cycle(RECORDINGS / "slt" / f"{name}.flac" for name in QUESTIONS[providers])
    async with vendors(providers, recogniser=recogniser) as served, _contenders(served) as bots:
        for number, bot in enumerate(bots, 1):
            progress(f"calling {bot.name} once for warmth ({number} of {len(bots)})")
            await _called(bot, [next(places)], barge_in_secs=None)
        for number in range(runs):
            for bot in rotated(bots, number):
                progress(f"round {number + 1} of {runs}: calling {bot.name}")
                questions = [*itertools.islice(places, TURNS_A_CALL)]
                bot.take(await _called(bot, questions, barge_in_secs=None), spoken_over=False)
                await _tell(served, LONG_ANSWER)
                questions = [*itertools.islice(places, INTERRUPTED_A_CALL)]
                bot.take(await _called(bot, questions, barge_in_secs=BARGE_IN_SECS), spoken_over=True)
                await _tell(served, ANSWER)
                for finding in bot.findings():
                    yield finding
        for note in conclusions(bots, served=served is not None):
            yield note


def rotated(bots: Sequence[Contender], by: int) -> list[Contender]:
    """Each of them first in its turn, so that none is always called behind another."""
    by %= len(bots)
    return [*bots[by:], *bots[:by]]


def conclusions(bots: Sequence[Contender], *, served: bool) -> list[Note]:
    """How this bot compares with the others, and what is in no figure."""
    notes = [note for bot in bots for note in bot.missing()]
    if not served:
        return notes
    ours = bots[0]
    notes += [
        compared("voice to voice", ours.v2v_figure, theirs.v2v_figure) for theirs in bots[1:] if ours.v2v and theirs.v2v
    ]
    floor = 1000 * (FINAL_SECS + TOKEN_SECS + SOUND_SECS)
    notes.append(Note(f"The doubles alone take {floor:.0f} ms to a first sound, and longer to a first sentence."))
    return [*notes, Note(NO_LIVEKIT)]


async def _called(bot: Contender, questions: Sequence[Path], *, barge_in_secs: float | None) -> Sequence[TurnReport]:
    try:
        report = await call(
            base_url=bot.url,
            turns=[Turn(each) for each in questions],
            speaker=FliteSpeaker(),
            barge_in_secs=barge_in_secs,
        )
    except CallError as error:
        raise BenchError(f"{bot.name} could not be called: {error}") from None
    return report.turns


async def _tell(served: Doubles | None, answer: str) -> None:
    if served is not None:
        await served.tell(answer=answer)


@asynccontextmanager
async def _contenders(served: Doubles | None) -> AsyncIterator[list[Contender]]:
    async with AsyncExitStack() as stack:
        path = stack.enter_context(data_dir())
        jarvis = await stack.enter_async_context(running(path, **variables(served)))
        bots = [Contender(JARVIS, jarvis.url)]
        if served is not None:
            bots.append(Contender(STOCK, await stack.enter_async_context(_stock(served))))
        yield bots


@asynccontextmanager
async def _stock(served: Doubles) -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "evals.bench.stock",
        cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(f"{json.dumps(dict(served.variables))}\n".encode())
        try:
            line = await asyncio.wait_for(process.stdout.readline(), START_SECS)
        except TimeoutError:
            line = b""
        if not line:
            raise BenchError("The bot of Pipecat's own parts did not start. Install what it needs: make dev")
        yield line.decode().strip()
    finally:
        process.stdin.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), STOP_SECS)
        if process.returncode is None:
            process.kill()
            await process.wait()
