"""One of several services at work, and what the others still send kept back."""

from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from pipecat.frames.frames import CancelFrame, EndFrame, ErrorFrame, Frame, ManuallySwitchServiceFrame, StartFrame
from pipecat.pipeline.service_switcher import ServiceSwitcher, ServiceSwitcherStrategyManual
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.ai_service import AIService
from pipecat.utils.errors import ErrorCategory

LIFECYCLE = (StartFrame, EndFrame, CancelFrame)
SEEN = 512


class Providers(Protocol):
    """Which provider is asked next, and what became of it; a provider is named by its place in the list."""

    def choose(self, *, without: Collection[int] = ()) -> int | None:
        """The one that the next turn goes to; None where there is none."""
        ...

    def failed(self, place: int, reason: str) -> None:
        """It could not do its work."""
        ...

    def succeeded(self, place: int) -> None:
        """It did its work."""
        ...


@dataclass(frozen=True, slots=True)
class Switch:
    """A change of provider: the stage, the services' places before and after, and the reason in one word."""

    stage: str
    source: int
    target: int
    reason: str


class Alarm:
    """Rings once when its time is over, unless it is set anew or cleared."""

    def __init__(self, owner: FrameProcessor, ring: Callable[[], Coroutine[Any, Any, None]]):
        self._owner = owner
        self._ring = ring
        self._handle: Any = None

    def set(self, secs: float) -> None:
        """Rings in so many seconds."""
        self.clear()
        self._handle = self._owner.get_event_loop().call_later(secs, self._rung)

    def clear(self) -> None:
        """Does not ring."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _rung(self) -> None:
        self._handle = None
        self._owner.create_task(self._ring(), "failover_alarm")


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

    def __init__(self, switcher: "KeptSwitcher", place: int, entering: FrameDirection):
        super().__init__(enable_direct_mode=True)
        self._switcher = switcher
        self._place = place
        self._entering = entering

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Passes on what the switcher lets through."""
        await super().process_frame(frame, direction)
        if isinstance(frame, LIFECYCLE):
            await self.push_frame(frame, direction)
        elif direction == self._entering:
            if self._switcher.enters(self._place, frame, direction):
                await self.push_frame(frame, direction)
        else:
            for passed in await self._switcher.leaves(self._place, frame, direction):
                await self.push_frame(passed, direction)


class KeptSwitcher(ServiceSwitcher[ServiceSwitcherStrategyManual]):
    """Pipecat's switcher, which knows what came from which service and tells of each change.

    Event `on_service_switched(switcher, Switch)`: where the reason is `recovered`, nothing had failed.
    """

    stage: ClassVar[str]

    def __init__(self, services: Sequence[AIService], *, providers: Providers):
        self._providers = providers
        super().__init__([*services])
        self._seen_ids = _Recent()  # pyright: ignore[reportAttributeAccessIssue, reportIncompatibleVariableOverride]
        self._tried: set[int] = set()
        self._register_event_handler("on_service_switched")

    def _make_pipeline_definitions(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, services: list[FrameProcessor], strategy: ServiceSwitcherStrategyManual
    ) -> list[Any]:
        """Pipecat's filters let out what a service sends that is not asked any more; these gates don't."""
        return [
            [_Gate(self, place, FrameDirection.DOWNSTREAM), service, _Gate(self, place, FrameDirection.UPSTREAM)]
            for place, service in enumerate(services)
        ]

    @property
    def place(self) -> int:
        """The place of the service at work."""
        return self._services.index(self.strategy.active_service)

    def enters(self, place: int, frame: Frame, direction: FrameDirection) -> bool:
        """Whether a frame goes to the service of that place."""
        return self._services[place] is self.strategy.active_service

    async def leaves(self, place: int, frame: Frame, direction: FrameDirection) -> Iterable[Frame]:
        """What goes on of a frame that the service of that place sends or lets through."""
        if self._services[place] is not self.strategy.active_service:
            return ()
        if isinstance(frame, ErrorFrame) and frame.processor is self._services[place] and not frame.fatal:
            category = frame.category or ErrorCategory.UNKNOWN
            if category is not ErrorCategory.APPLICATION and await self.fail(place, category.value):
                return ()
        return (frame,)

    async def fail(self, place: int, reason: str) -> bool:
        """Takes the work from a service; False where no other can take it over."""
        raise NotImplementedError

    async def _switch(self, target: int, *, reason: str) -> None:
        source = self.place
        service = self._services[target]
        # One that its own errors wrote off is asked again when its circuit says so.
        await service.set_usable(True)
        await self.strategy.handle_frame(ManuallySwitchServiceFrame(service=service), FrameDirection.DOWNSTREAM)
        await self._call_event_handler("on_service_switched", Switch(self.stage, source, target, reason))
