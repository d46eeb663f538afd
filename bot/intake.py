"""What a bot takes of a caller's messages: no more sound than time passes, and no endless nonsense."""

from collections import deque
from typing import Literal

from bot.wire import Fault

# A network that stood still delivers this much at once; more is a file, or another rate than was agreed.
AHEAD_SECS = 5.0
TELL_EVERY_SECS = 1.0
# So many messages that can't be taken, within so many seconds, are abuse.
ABUSE_FAULTS = 500
ABUSE_SECS = 10.0


class Intake:
    """Judges message after message. Times are the monotonic clock's."""

    def __init__(self) -> None:
        self._taken_until = 0.0
        self._told: dict[Fault, float] = {}
        self._faults: deque[float] = deque(maxlen=ABUSE_FAULTS)

    def admits(self, secs: float, *, now: float) -> bool:
        """Whether so much more sound may be taken now; it counts as taken then."""
        until = max(self._taken_until, now) + secs
        if until - now > AHEAD_SECS:
            return False
        self._taken_until = until
        return True

    def verdict(self, fault: Fault, *, now: float) -> Literal["tell", "ignore", "close"]:
        """What becomes of a message that can't be taken: its sender is told once a second, and let go in the end."""
        self._faults.append(now)
        if len(self._faults) == ABUSE_FAULTS and now - self._faults[0] < ABUSE_SECS:
            return "close"
        if now - self._told.get(fault, float("-inf")) < TELL_EVERY_SECS:
            return "ignore"
        self._told[fault] = now
        return "tell"
