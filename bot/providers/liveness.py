"""Whether the other end of a vendor's websocket is there: nobody hears of one that went away without a word."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from pipecat.frames.frames import Frame
from websockets.exceptions import ConnectionClosed

from processors.tts_cache import CachedVoice

# Whoever is there answers a ping by then.
PONG_SECS = 1.0
# Pipecat has connected anew by then, where it can at once.
ANEW_SECS = 1.0


async def is_there(socket: Any) -> bool:
    """Whether a connection of `websockets` answers a ping within a second; one that is closed does not."""
    try:
        async with asyncio.timeout(PONG_SECS):
            await (await socket.ping())
    except (TimeoutError, ConnectionClosed):
        return False
    return True


def give_up(socket: Any) -> None:
    """Ends the connection without a farewell, which nobody would take; its service connects anew."""
    socket.transport.abort()


class CheckedVoice(CachedVoice):
    """A cached voice that speaks over a websocket: each text that the vendor is given asks whether it is there.

    A connection that stands still is given up, so that the next answer is spoken on another.
    """

    _websocket: Any
    _receive_task: asyncio.Task[None] | None
    _checking: asyncio.Task[None] | None = None

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        """Speaks, and looks meanwhile."""
        if self._receive_task is not None and self._receive_task.done():
            # Pipecat's forgets it as it disconnects, but not where it is interrupted then; nobody would read the next.
            self._receive_task = None
            if self._websocket is not None:
                give_up(self._websocket)
                self._websocket = None
        if self._websocket is not None and (self._checking is None or self._checking.done()):
            self._checking = self.create_task(self._check(self._websocket), "check-socket")
        async for frame in super().run_tts(text, context_id):  # pyright: ignore[reportAbstractUsage]  (a real one stands behind this)
            yield frame

    async def cleanup(self) -> None:
        """Stops looking with the call."""
        if self._checking is not None:
            await self.cancel_task(self._checking)
        await super().cleanup()

    async def _check(self, socket: Any) -> None:
        while socket is not None and not await is_there(socket):
            give_up(socket)
            await asyncio.sleep(ANEW_SECS)
            # What was connected meanwhile may stand still, too.
            socket = self._websocket if self._websocket is not socket else None
