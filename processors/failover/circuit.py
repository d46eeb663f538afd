"""Whether a provider that failed is tried again: one circuit a provider, a value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from pipecat.utils.errors import ErrorCategory

WINDOW_SECS = 60.0
FAILURES = 3
REST_SECS = 15.0
LONGEST_REST_SECS = 300.0
# A probe that says nothing of how it went is over by then.
PROBE_SECS = 20.0


class Failure(StrEnum):
    """Why a provider did not do its work; the names are labels of a metric."""

    REFUSED = "refused"  # the key is wrong, or may not do this
    QUOTA = "quota"
    RATE_LIMIT = "rate_limit"
    SERVER = "server"
    CONNECTIVITY = "connectivity"
    INVALID_REQUEST = "invalid_request"
    LATE = "late"  # nothing came in time
    STALLED = "stalled"  # it stopped in the middle
    EMPTY = "empty"
    GARBLED = "garbled"  # what came can't be what was asked for
    UNKNOWN = "unknown"


class State(StrEnum):
    """What a circuit lets through: all, nothing, or one turn that finds out."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


# What waiting a few seconds does not mend.
LASTING = frozenset({Failure.REFUSED, Failure.QUOTA})

_FAILURES = {
    ErrorCategory.AUTHENTICATION: Failure.REFUSED,
    ErrorCategory.AUTHORIZATION: Failure.REFUSED,
    ErrorCategory.INVALID_REQUEST: Failure.INVALID_REQUEST,
    ErrorCategory.RATE_LIMIT: Failure.RATE_LIMIT,
    ErrorCategory.QUOTA: Failure.QUOTA,
    ErrorCategory.CONNECTIVITY: Failure.CONNECTIVITY,
    ErrorCategory.SERVER: Failure.SERVER,
}


def failure_of(category: ErrorCategory | None) -> Failure | None:
    """What an error of this category comes to; None for one that is not the provider's."""
    if category is ErrorCategory.APPLICATION:
        return None
    return Failure.UNKNOWN if category is None else _FAILURES.get(category, Failure.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Circuit:
    """What is known of a provider; all times are of one clock, which the caller passes in.

    Closed, until it fails three times within a minute, or once in a way that lasts. Then it rests, each time twice as
    long, up to five minutes. After the rest one turn may try it, the probe, by which it closes or rests again.
    """

    failed_at: tuple[float, ...] = ()
    open_until: float | None = None
    probe_until: float | None = None
    rests: int = 0

    def state(self, now: float) -> State:
        """What it is at this time."""
        if self.open_until is None:
            return State.CLOSED
        return State.OPEN if now < self.open_until else State.HALF_OPEN

    def allows(self, now: float) -> bool:
        """Whether a turn may begin on it."""
        match self.state(now):
            case State.CLOSED:
                return True
            case State.OPEN:
                return False
            case State.HALF_OPEN:
                return self.probe_until is None or now >= self.probe_until

    def rest_secs(self, now: float) -> float:
        """How long nobody tries it."""
        return max(0.0, (self.open_until or now) - now)

    def tried(self, now: float) -> Circuit:
        """A turn began on it, which is the probe where one was waited for."""
        if self.state(now) is not State.HALF_OPEN:
            return self
        return replace(self, probe_until=now + PROBE_SECS)

    def left(self, now: float) -> Circuit:
        """A turn ended that says nothing of it, such as one that was interrupted; another may be the probe."""
        return replace(self, probe_until=None) if self.state(now) is State.HALF_OPEN else self

    def worked(self) -> Circuit:
        """It did its work."""
        return self if self.open_until is None and not self.failed_at else Circuit()

    def failed(self, now: float, failure: Failure) -> Circuit:
        """It did not; what the request itself is to blame for counts for nothing."""
        if failure is Failure.INVALID_REQUEST:
            return self.left(now)
        if self.state(now) is State.OPEN:
            return self
        failed_at = (*(at for at in self.failed_at if at > now - WINDOW_SECS), now)
        if failure in LASTING:
            return self._rested(now, LONGEST_REST_SECS)
        if self.state(now) is State.HALF_OPEN or len(failed_at) >= FAILURES:
            return self._rested(now, min(REST_SECS * 2**self.rests, LONGEST_REST_SECS))
        return replace(self, failed_at=failed_at)

    def told(self, now: float, state: State, *, rest_secs: float, rests: int) -> Circuit:
        """Another call found it in this state."""
        match state:
            case State.CLOSED:
                return Circuit()
            case State.OPEN:
                return Circuit(open_until=max(self.open_until or 0.0, now + rest_secs), rests=max(self.rests, rests))
            case State.HALF_OPEN:
                return Circuit(open_until=min(self.open_until or now, now), probe_until=now + PROBE_SECS, rests=rests)

    def _rested(self, now: float, secs: float) -> Circuit:
        return Circuit(open_until=now + secs, rests=min(self.rests + 1, 10))
