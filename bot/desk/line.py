"""A started pipeline that answers one request at a time, and what comes out of it."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from loguru import logger
from pipecat.frames.frames import ErrorFrame, Frame, SystemFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.workers.runner import WorkerRunner

from bot.desk.errors import DeskUnavailableError
from bot.desk.requests import RATE_HZ, SPEECH_HZ

START_SECS = 15.0
END_SECS = 3.0
SETTLE_SECS = 2.0
# Frames that wait to be taken: whoever reads slowly holds up the services.
MOST_WAITING = 50


class Line:
    """Puts frames into a pipeline of these processors and takes those of the wanted kinds, and errors, out of it."""

    def __init__(self, processors: Sequence[FrameProcessor], *, takes: tuple[type[Frame], ...]) -> None:
        self._out = _Out()
        ends = (_Tap(self._out, takes=(ErrorFrame,)), _Tap(self._out, takes=takes))
        self._worker = PipelineWorker(
            Pipeline([ends[0], *processors, ends[1]]),
            params=PipelineParams(
                audio_in_sample_rate=RATE_HZ, audio_out_sample_rate=SPEECH_HZ, enable_usage_metrics=True
            ),
            enable_rtvi=False,
            enable_turn_tracking=False,
            idle_timeout_secs=None,
            cancel_timeout_secs=END_SECS,
        )
        self._runner = WorkerRunner(handle_sigint=False, handle_sigterm=False)
        self._run: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        """Whether the pipeline runs."""
        return self._run is not None and not self._run.done()

    async def start(self) -> None:
        """Return when the pipeline has started; raises `DeskUnavailableError`."""
        started = asyncio.Event()

        @self._worker.event_handler("on_pipeline_started")
        async def on_pipeline_started(_worker: object, _frame: object) -> None:
            started.set()

        await self._runner.add_workers(self._worker)
        self._run = asyncio.create_task(self._runner.run(), name="desk-line")
        starting = asyncio.create_task(started.wait())
        try:
            await asyncio.wait({self._run, starting}, timeout=START_SECS, return_when=asyncio.FIRST_COMPLETED)
            if not started.is_set():
                raise DeskUnavailableError("The services did not start; see that their settings are right.")
        except BaseException:
            # Not even the end of the event loop would end it.
            await self.end()
            raise
        finally:
            starting.cancel()

    async def put(self, *frames: Frame) -> None:
        """Hand frames to the first processor, in this order."""
        await self._worker.queue_frames(frames)

    async def next(self, *, timeout_secs: float) -> Frame:
        """The next frame; raises `TimeoutError`, and `DeskUnavailableError` where the pipeline has ended."""
        if not self.alive:
            raise DeskUnavailableError("The services ended; send the request again.")
        return await asyncio.wait_for(self._out.get(), timeout_secs)

    def waiting(self) -> list[Frame]:
        """The frames that have come already."""
        return self._out.left()

    async def rest(self) -> list[Frame]:
        """What is still to come after the last frame that was waited for, such as an error; empty most of the time."""
        if not await self._worker.flush_pipeline(timeout=SETTLE_SECS):
            raise DeskUnavailableError("The services are stuck; send the request again.")
        return self._out.left()

    async def end(self) -> None:
        """Cancel the pipeline, whatever it does."""
        if self._run is None:
            return
        self._out.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(END_SECS):
                await self._runner.cancel("done")
                await asyncio.wait({self._run})
        if not self._run.done():
            logger.warning("a pipeline of the desk did not end; it is cancelled")
            self._run.cancel()
        await asyncio.wait({self._run}, timeout=END_SECS)
        if self._run.done() and not self._run.cancelled() and (error := self._run.exception()):
            logger.error("a pipeline of the desk failed: {}", type(error).__name__)


class _Out:
    """Frames that wait to be taken."""

    def __init__(self) -> None:
        self._frames: asyncio.Queue[Frame] = asyncio.Queue()
        self._room = asyncio.Event()
        self._room.set()
        self._closed = False

    async def put(self, frame: Frame) -> None:
        # System frames pass others, and must not be held up by them.
        while not isinstance(frame, SystemFrame) and not self._closed and self._frames.qsize() >= MOST_WAITING:
            self._room.clear()
            await self._room.wait()
        self._frames.put_nowait(frame)

    async def get(self) -> Frame:
        frame = await self._frames.get()
        self._room.set()
        return frame

    def left(self) -> list[Frame]:
        self._room.set()
        return [self._frames.get_nowait() for _ in range(self._frames.qsize())]

    def close(self) -> None:
        self._closed = True
        self._room.set()


class _Tap(FrameProcessor):
    """Lets everything pass, and shows some of it."""

    def __init__(self, out: _Out, *, takes: tuple[type[Frame], ...]) -> None:
        super().__init__()
        self._out = out
        self._takes = takes

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, self._takes):
            await self._out.put(frame)
        await self.push_frame(frame, direction)
