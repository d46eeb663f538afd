"""How a call ends by itself."""

import asyncio
from collections.abc import Awaitable, Callable

from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    Frame,
    InterruptionFrame,
    TTSSpeakFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.workers.runner import WorkerRunner

from bot.limits import LimitKeeper
from bot.settings import Limits
from bot.wording.table import wording
from processors.silence import SilenceProcessor
from tests.virtual_time import in_virtual_time

ENGLISH = wording("en")

LONG = 10_000.0
SAYING_SECS = 2.0


class Voice(FrameProcessor):
    """Says each text in two seconds unless it is interrupted; `said` are the texts with when they began."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[tuple[float, str]] = []
        self.works = True
        self._saying: asyncio.Task[None] | None = None

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSSpeakFrame):
            self.said.append((round(self.get_event_loop().time()), frame.text))
            if self.works:
                self._saying = self.create_task(self._say())
        elif isinstance(frame, InterruptionFrame) and self._saying is not None:
            await self.cancel_task(self._saying)
            self._saying = None
            await self.broadcast_frame(BotStoppedSpeakingFrame)
        await self.push_frame(frame, direction)

    async def _say(self) -> None:
        await self.broadcast_frame(BotStartedSpeakingFrame)
        await asyncio.sleep(SAYING_SECS)
        self._saying = None
        await self.broadcast_frame(BotStoppedSpeakingFrame)


class Call:
    """A call with such a voice; `plot` is what happens in it after the greeting."""

    def __init__(
        self, *, idle_secs: float = LONG, max_secs: float = LONG, works: bool = True, turned_away: str | None = None
    ) -> None:
        self.turned_away = turned_away
        self.voice = Voice()
        self.voice.works = works
        self.limits = Limits(idle_secs=idle_secs, max_duration_secs=max_secs)

    @property
    def said(self) -> list[tuple[float, str]]:
        return self.voice.said[1:]

    async def held(self, plot: Callable[["Call"], Awaitable[None]] | None = None) -> tuple[str, float]:
        """Why it ended, and when."""
        silence = SilenceProcessor(silent_secs=self.limits.idle_secs / 2)
        pipeline = Pipeline([silence, self.voice])
        self.worker = PipelineWorker(pipeline, idle_timeout_secs=None, enable_rtvi=False)
        keeper = LimitKeeper(
            self.limits, silence=silence, push=self.worker.queue_frame, words=ENGLISH, turned_away=self.turned_away
        )
        runner = WorkerRunner()
        await runner.add_workers(self.worker)
        running = asyncio.create_task(runner.run())
        await self.worker.queue_frame(TTSSpeakFrame("Hello."))
        keeping = asyncio.create_task(keeper.keep())
        if plot is not None:
            await plot(self)
        reason = await keeping
        ended = asyncio.get_running_loop().time()
        await self.worker.cancel()
        await running
        return reason, round(ended)

    async def speaks(self, secs: float) -> None:
        """The caller speaks so long."""
        await self.worker.queue_frames([UserStartedSpeakingFrame(), InterruptionFrame()])
        await asyncio.sleep(secs)
        await self.worker.queue_frame(UserStoppedSpeakingFrame())


@in_virtual_time
async def test_a_silent_caller_is_asked_once_and_told_goodbye():
    call = Call(idle_secs=20)
    assert await call.held() == ("idle", 26)
    assert call.said == [(12, ENGLISH.still_there), (24, ENGLISH.nobody_there)]


@in_virtual_time
async def test_who_speaks_up_when_asked_keeps_the_call_and_is_asked_anew():
    call = Call(idle_secs=20)

    async def plot(call: Call) -> None:
        await asyncio.sleep(20)
        await call.speaks(3)

    assert await call.held(plot) == ("idle", 47)
    assert [at for at, words in call.said if words == ENGLISH.still_there] == [12, 33]


@in_virtual_time
async def test_who_speaks_over_the_goodbye_keeps_the_call():
    call = Call(idle_secs=20)

    async def plot(call: Call) -> None:
        await asyncio.sleep(25)
        await call.speaks(100)

    assert await call.held(plot) == ("idle", 149)
    assert [words for _, words in call.said] == [ENGLISH.still_there, ENGLISH.nobody_there] * 2


@in_virtual_time
async def test_where_no_voice_works_a_silent_call_ends_all_the_same():
    reason, ended = await Call(idle_secs=20, works=False).held()
    assert reason == "idle"
    assert ended <= 40


@in_virtual_time
async def test_who_is_turned_away_is_told_why_and_nothing_else():
    call = Call(turned_away="We are closed.")
    assert (await call.held())[0] == "closed"
    assert [words for _, words in call.said] == ["We are closed."]


@in_virtual_time
async def test_a_minute_before_the_longest_time_it_is_told_and_at_its_end_goodbye_is_said():
    call = Call(max_secs=300)
    assert await call.held() == ("max_duration", 302)
    assert call.said == [(240, ENGLISH.one_minute), (300, ENGLISH.time_is_up)]


@in_virtual_time
async def test_a_short_call_is_not_told_of_its_last_minute():
    call = Call(max_secs=90)
    await call.held()
    assert call.said == [(90, ENGLISH.time_is_up)]


@in_virtual_time
async def test_nobody_is_cut_short_to_be_told_of_the_last_minute():
    call = Call(max_secs=300)

    async def plot(call: Call) -> None:
        await asyncio.sleep(235)
        await call.speaks(20)

    await call.held(plot)
    assert call.said == [(255, ENGLISH.one_minute), (300, ENGLISH.time_is_up)]


@in_virtual_time
async def test_who_never_stops_speaking_is_told_goodbye_and_nothing_that_is_wrong_by_then():
    call = Call(max_secs=300)

    async def plot(call: Call) -> None:
        await asyncio.sleep(200)
        await call.speaks(99)

    await call.held(plot)
    assert call.said == [(300, ENGLISH.time_is_up)]


@in_virtual_time
async def test_what_is_being_said_at_the_end_is_cut_for_the_goodbye():
    call = Call(max_secs=90)

    async def plot(call: Call) -> None:
        await asyncio.sleep(89)
        await call.worker.queue_frame(TTSSpeakFrame("A long story."))

    assert await call.held(plot) == ("max_duration", 92)
    assert call.said[-1] == (90, ENGLISH.time_is_up)
