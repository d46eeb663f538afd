"""Whether one more call fits on this host, and who is next where none does."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Literal

from server.errors import Problem
from server.ingress.admission import Capacity, HostMeter, Limits, Scarce, capacity, measured_cost
from server.ingress.live import LiveSession
from server.ingress.mirror import Mirror
from server.ingress.schemas import CreateSession, Waiting
from server.ingress.waiting import Place, WaitingLine

BUSY_RETRY_SECS = 15
WAITING_RETRY_SECS = 2
# Until then the host's load does not show what a call costs.
YOUNG_SECS = 10.0

# Why a caller was turned away: what is short, others who wait in line before them, or the server itself.
Refusal = Scarce | Literal["line", "draining", "no_bot"]


class Lines:
    """Admits calls, one at a time in the order of their coming."""

    def __init__(self, *, meter: HostMeter, mirror: Mirror, waiting: WaitingLine | None, limits: Limits):
        self._meter = meter
        self._mirror = mirror
        self._waiting = waiting
        self._limits = limits
        self._starting = 0
        self.refused: Counter[Refusal] = Counter()
        """Callers who were turned away, by what was short."""

    def capacity(self, *, live: Sequence[LiveSession], now_mono: float) -> Capacity:
        """What this host can take now."""
        young = sum(now_mono - session.admitted_mono < YOUNG_SECS for session in live)
        grown = [session for session in live if now_mono - session.admitted_mono >= YOUNG_SECS]
        samples = [
            (session.cpu_percent, session.memory_mb)
            for session in grown
            if session.cpu_percent is not None and session.memory_mb is not None
        ]
        return capacity(
            load=self._meter.load,
            live=len(live) + self._starting + self._mirror.elsewhere,
            young=young + self._starting,
            cost=measured_cost(samples, cores=self._meter.cores),
            limits=self._limits,
        )

    async def waiting(self) -> int:
        """How many callers wait in line."""
        return 0 if self._waiting is None else await self._waiting.count()

    @asynccontextmanager
    async def taken(
        self, wanted: CreateSession, *, live: Sequence[LiveSession], now_mono: float
    ) -> AsyncIterator[Waiting | None]:
        """None: a line for one call, while it starts. Else a place to wait; raises a 503 `Problem` for none."""
        short = self.capacity(live=live, now_mono=now_mono).limited_by
        fits = short is None
        # Counted before anything is awaited: who asks meanwhile must not find the same line free.
        self._starting += fits
        try:
            place = None if fits and self._waiting is None else await self._place(wanted, short=short)
            if place is not None and (not fits or place.position > 1):
                yield Waiting(ticket=place.ticket, position=place.position, retry_after_secs=WAITING_RETRY_SECS)
                return
            yield None
        finally:
            self._starting -= fits
        if place is not None and self._waiting is not None:
            await self._waiting.leave(place.ticket)

    async def _place(self, wanted: CreateSession, *, short: Scarce | None) -> Place | None:
        """The caller's place in line; None where the caller need not wait. Raises `Problem`."""
        if self._waiting is None:
            raise self._busy(short)
        if wanted.ticket is not None:
            place = await self._waiting.renew(wanted.ticket)
        elif short is None and not await self._waiting.count():
            return None
        else:
            place = await self._waiting.join() if wanted.wait else None
        if place is None:
            raise self._busy(short)
        return place

    def _busy(self, short: Scarce | None) -> Problem:
        """Counts a refusal, and words it; where nothing is short, others wait in line before the caller."""
        self.refused[short or "line"] += 1
        return Problem(
            503,
            "All lines are busy",
            "Every line of this assistant is taken. Try again in a moment.",
            retry_after_secs=BUSY_RETRY_SECS,
        )
