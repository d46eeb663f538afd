"""A processor's clock that rings once."""

from collections.abc import Callable, Coroutine
from typing import Any

from pipecat.processors.frame_processor import FrameProcessor


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
        self._owner.create_task(self._ring(), "alarm")
