"""One of Google's services at work in a pipeline of its own, its frames seen as they come."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from pipecat.frames.frames import EndFrame, ErrorFrame, Frame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.workers.runner import WorkerRunner

Kind = TypeVar("Kind", bound=Frame)

PATIENCE_SECS = 20.0


class Seen(FrameProcessor):
    """Keeps what comes by."""

    def __init__(self):
        super().__init__(enable_direct_mode=True)
        self.frames: list[Frame] = []
        self.changed = asyncio.Event()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        self.frames.append(frame)
        self.changed.set()
        await self.push_frame(frame, direction)


class Running:
    """What is sent to the service, and what came of it."""

    def __init__(self, service: FrameProcessor):
        self._above, self._below = Seen(), Seen()
        self.worker = PipelineWorker(
            Pipeline([self._above, service, self._below]),
            params=PipelineParams(audio_in_sample_rate=16_000, audio_out_sample_rate=24_000),
            cancel_on_idle_timeout=False,
            enable_rtvi=False,
        )

    async def send(self, *frames: Frame) -> None:
        """Puts frames in at the top."""
        await self.worker.queue_frames(frames)

    def came(self, kind: type[Kind]) -> list[Kind]:
        """What came so far of a kind: errors above the service, all else below it."""
        return [frame for frame in self._seen(kind).frames if isinstance(frame, kind)]

    async def until(self, kind: type[Kind], count: int = 1) -> list[Kind]:
        """Waits for so many frames of a kind."""
        seen = self._seen(kind)
        async with asyncio.timeout(PATIENCE_SECS):
            while len(found := self.came(kind)) < count:
                seen.changed.clear()
                await seen.changed.wait()
        return found

    def _seen(self, kind: type[Frame]) -> Seen:
        return self._above if issubclass(kind, ErrorFrame) else self._below


@asynccontextmanager
async def running(service: FrameProcessor) -> AsyncIterator[Running]:
    """The service in a pipeline that has started; it is ended in peace, which must not hang either."""
    it = Running(service)
    started = asyncio.Event()

    @it.worker.event_handler("on_pipeline_started")
    async def on_started(worker: PipelineWorker, frame: Frame) -> None:
        started.set()

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(it.worker)
    run = asyncio.create_task(runner.run())
    try:
        await asyncio.wait_for(started.wait(), PATIENCE_SECS)
        yield it
    finally:
        await it.worker.queue_frame(EndFrame())
        await asyncio.wait_for(run, PATIENCE_SECS)
