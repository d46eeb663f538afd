"""A clock for what must go on evenly when the system's clock is set."""

import time
from collections.abc import Callable


class SteadyClock:
    """The time of day as it was when the clock was set, and what has passed since by the monotonic clock; seconds."""

    def __init__(self, *, now: Callable[[], float], monotonic: Callable[[], float] = time.monotonic):
        self._now = now
        self._monotonic = monotonic
        self.set()

    def __call__(self) -> float:
        """The time, as `time.time()` gives it."""
        return self._offset + self._monotonic()

    def set(self) -> None:
        """Takes the system's time over, once more."""
        self._offset = self._now() - self._monotonic()
