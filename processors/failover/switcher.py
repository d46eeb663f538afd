"""One of several services at work, and what the others still send kept back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pipecat.frames.frames import CancelFrame, EndFrame, ErrorFrame, Frame, ManuallySwitchServiceFrame, StartFrame
from pipecat.pipeline.service_switcher import ServiceSwitcher, ServiceSwitcherStrategyManual
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.ai_service import AIService

from processors.failover.circuit import Failure, failure_of
from processors.failover.providers import Providers

CHOSEN = "chosen"
LIFECYCLE = (StartFrame, EndFrame, CancelFrame)
SEEN = 512


@dataclass(frozen=True, slots=True)
class Switch:
    """A change of provider: the stage, the names before and after, and the reason in one word."""

    stage: str
    source: str
    target: str
    reason: str


class _Recent:
    """The last ids, in the place of a set that grows with each frame of a call."""

    def __init__(self) -> None:
        self._ids: dict[int, None] = {}

    def __contains__(self, frame_id: int) -> bool:
        return frame_id in self._ids

    def add(self, frame_id: int) -> None:
        self._ids[frame_id] = None
        if len(self._ids) > SEEN:
            del self._ids[next(iter(self._ids))]


class _Gate(FrameProcessor):
    """One side of a service: `entering` is the direction in which frames come to it here."""

    def __init__(self, switcher: "KeptSwitcher", service: FrameProcessor, entering: FrameDirection):
        super().__init__(enable_direct_mode=True)
        self._switcher = switcher
        self._service = service
        self._entering = entering

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Passes on what the switcher lets through."""
        await super().process_frame(frame, direction)
        if isinstance(frame, LIFECYCLE):
            await self.push_frame(frame, direction)
        elif direction == self._entering:
            if self._switcher.enters(self._service, frame, direction):
                await self.push_frame(frame, direction)
        else:
            for passed in await self._switcher.leaves(self._service, frame, direction):
                await self.push_frame(passed, direction)


class KeptSwitcher(ServiceSwitcher[ServiceSwitcherStrategyManual]):
    """Pipecat's switcher, which knows what came from which service and tells of each change.

    `services` are named as `providers` names them. Event `on_service_switched(switcher, Switch)`: where the reason is
    `chosen`, nothing failed in mid-turn: a turn begins with another provider than the last, such as a recovered one.
    """

    def __init__(self, services: Mapping[str, AIService], *, providers: Providers):
        self._names: dict[FrameProcessor, str] = {service: name for name, service in services.items()}
        super().__init__([*services.values()])
        self._named = dict(services)
        self._providers = providers
        self._seen_ids = _Recent()  # pyright: ignore[reportAttributeAccessIssue, reportIncompatibleVariableOverride]
        self._tried: set[str] = set()
        self._register_event_handler("on_service_switched")

    def _make_pipeline_definitions(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, services: list[FrameProcessor], strategy: ServiceSwitcherStrategyManual
    ) -> list[Any]:
        """Pipecat's filters let out what a service sends that is not asked any more; these gates don't."""
        return [
            [_Gate(self, service, FrameDirection.DOWNSTREAM), service, _Gate(self, service, FrameDirection.UPSTREAM)]
            for service in services
        ]

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Takes a switch to one of the services as the choice from the next turn on: what goes on is not broken off."""
        if isinstance(frame, ManuallySwitchServiceFrame) and frame.service in self._names:
            await FrameProcessor.process_frame(self, frame, direction)
            self._providers.choose(self._names[frame.service])
            return
        await super().process_frame(frame, direction)

    @property
    def active(self) -> str:
        """The name of the provider at work."""
        return self._names[self.strategy.active_service]

    def enters(self, service: FrameProcessor, frame: Frame, direction: FrameDirection) -> bool:
        """Whether a frame goes to that service."""
        return service is self.strategy.active_service

    async def leaves(self, service: FrameProcessor, frame: Frame, direction: FrameDirection) -> Iterable[Frame]:
        """What goes on of a frame that a service sends or lets through."""
        if service is not self.strategy.active_service:
            return ()
        if isinstance(frame, ErrorFrame) and frame.processor is service and not frame.fatal:
            failure = failure_of(frame.category)
            if failure is not None and await self.fail(service, failure):
                return ()
        return (frame,)

    async def fail(self, service: FrameProcessor, failure: Failure) -> bool:
        """Takes the work from a service; False where no other can take it over."""
        raise NotImplementedError

    def _blame(self, name: str, failure: Failure) -> None:
        # To speech each request is like the other: one that is refused as wrong tells of the settings, not of itself.
        self._providers.failed(name, Failure.UNKNOWN if failure is Failure.INVALID_REQUEST else failure)

    async def _switch(self, target: str, *, failure: Failure | None) -> None:
        source, service = self.active, self._named[target]
        # One that its own errors wrote off is asked again when its circuit says so.
        await service.set_usable(True)
        await self.strategy.handle_frame(ManuallySwitchServiceFrame(service=service), FrameDirection.DOWNSTREAM)
        self._providers.tried(target)
        if failure is not None:
            self._providers.took_over(target, before=source, failure=failure)
        switch = Switch(self._providers.stage, source, target, failure.value if failure else CHOSEN)
        await self._call_event_handler("on_service_switched", switch)
