"""What comes out of each service of a switcher: of the attempt that counts, and nothing of one that was given up."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pipecat.frames.frames import (
    ErrorFrame,
    Frame,
    FunctionCallsStartedFrame,
    InterruptionFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    LLMThoughtEndFrame,
    LLMThoughtStartFrame,
    LLMThoughtTextFrame,
)
from pipecat.pipeline.service_switcher import ServiceSwitcherStrategy
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from processors.failover.seam import Seam
from processors.frames import CallingFrame, UnansweredFrame

# What an answer is made of; all else that a service pushes is passed on as it comes.
ANSWER = (
    LLMFullResponseStartFrame,
    LLMTextFrame,
    LLMFullResponseEndFrame,
    LLMThoughtStartFrame,
    LLMThoughtTextFrame,
    LLMThoughtEndFrame,
    UnansweredFrame,
    CallingFrame,
)


@dataclass(slots=True, eq=False)
class Attempt:
    """One service's try at a turn; times are the event loop's."""

    name: str
    service: FrameProcessor
    frame: LLMContextFrame
    items: "asyncio.Queue[tuple[Attempt, Frame]]"
    seam: Seam
    began: float
    heard: float | None = None
    text: bool = False
    calling: bool = False
    tools: bool = False
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, frame: Frame) -> None:
        """Something came of it."""
        self.calling = self.calling or isinstance(frame, CallingFrame)
        self.tools = self.tools or isinstance(frame, FunctionCallsStartedFrame)
        self.items.put_nowait((self, frame))


class Routing(ServiceSwitcherStrategy):
    """Which service is active, and whose attempt each of them works at."""

    def __init__(self, services: list[FrameProcessor]) -> None:
        super().__init__(services)
        self._expected: dict[FrameProcessor, Attempt] = {}
        self._current: dict[FrameProcessor, Attempt] = {}
        self._stopping: dict[int, Attempt] = {}
        for service in services:
            service.add_event_handler("on_before_process_frame", self._note)

    async def choose(self, service: FrameProcessor) -> None:
        """Makes this service the one that settings and the like reach."""
        # Whether a service may be used is for its circuit to say.
        await service.set_usable(True)
        if service is not self.active_service:
            await self._set_active_if_available(service)

    async def begin(self, attempt: Attempt) -> None:
        """Hands the service its context; what it still says of another one is nothing of this attempt."""
        self._expected[attempt.service] = attempt
        await attempt.service.queue_frame(attempt.frame)

    def drop(self, attempt: Attempt) -> None:
        """Nothing more is heard of this attempt."""
        for known in (self._expected, self._current):
            if known.get(attempt.service) is attempt:
                del known[attempt.service]

    async def stop(self, attempt: Attempt, *, timeout_secs: float) -> None:
        """Cancels what the service does for it; returns when that has stopped, or after so long."""
        halt = InterruptionFrame()
        self._stopping[halt.id] = attempt
        await attempt.service.queue_frame(halt)
        if timeout_secs:
            # One that does not stop is heard by nobody any more.
            with suppress(TimeoutError):
                await asyncio.wait_for(attempt.stopped.wait(), timeout_secs)
        self.drop(attempt)

    def passes(self, service: FrameProcessor, frame: Frame) -> bool:
        """Whether a frame that comes down from the service goes on by itself."""
        if isinstance(frame, InterruptionFrame):
            stopped = self._stopping.pop(frame.id, None)
            if stopped is not None:
                stopped.stopped.set()
            return stopped is None
        attempt = self._current.get(service)
        if isinstance(frame, FunctionCallsStartedFrame) and attempt is not None:
            attempt.take(frame)
        if not isinstance(frame, ANSWER):
            return True
        if attempt is not None:
            attempt.take(frame)
        return False

    def failed(self, service: FrameProcessor, error: ErrorFrame) -> None:
        """The service reports an error."""
        if (attempt := self._current.get(service)) is not None:
            attempt.take(error)

    async def _note(self, service: Any, frame: Frame) -> None:
        """The service turns to a frame."""
        if isinstance(frame, LLMContextFrame):
            attempt = self._expected.pop(service, None)
            if attempt is not None and attempt.frame is frame:
                self._current[service] = attempt
            else:
                self._current.pop(service, None)


class Outlet(FrameProcessor):
    """The end of a service's branch."""

    def __init__(self, service: FrameProcessor, routing: Routing) -> None:
        super().__init__(enable_direct_mode=True)
        self._service = service
        self._routing = routing

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Hands answers to their attempt, and passes on all else."""
        await super().process_frame(frame, direction)
        if direction is FrameDirection.UPSTREAM or self._routing.passes(self._service, frame):
            await self.push_frame(frame, direction)
