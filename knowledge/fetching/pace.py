"""How fast one host is asked."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

PAUSE_SECS = 0.5


class Pace:
    """Lets one at a time ask a host, and the next one only `pause_secs` after the last has its answer."""

    def __init__(
        self,
        *,
        pause_secs: float = PAUSE_SECS,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._pause_secs = pause_secs
        self._clock = clock
        self._sleep = sleep
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._free_at: dict[str, float] = {}

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """Wait until the host may be asked, and hold the others back while the block runs."""
        async with self._turns[host]:
            wait_secs = self._free_at.get(host, self._clock()) - self._clock()
            if wait_secs > 0:
                await self._sleep(wait_secs)
            try:
                yield
            finally:
                self._free_at[host] = self._clock() + self._pause_secs
