"""Between a caller's websocket and the bot's: messages both ways, and no sound held for longer than a second."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, Protocol

from starlette.types import Message
from starlette.websockets import WebSocketDisconnect

from bot.wire import Close
from server.ingress.launcher import AudioLine, BotGoneError, Closed

# Sound that a caller has not taken by then is dropped, since the bot sends it as it is spoken; messages are not.
SOUND_SECS = 1.0
TEXTS = 500
# A caller who takes nothing for so long is let go.
SEND_SECS = 10.0
HUNG_UP = (1000, 1001, 1005)


class Caller(Protocol):
    """The caller's websocket, as Starlette has it."""

    async def receive(self) -> Message:
        """The next ASGI message."""
        ...

    async def send_bytes(self, data: bytes) -> None:
        """Sends a binary message."""
        ...

    async def send_text(self, data: str) -> None:
        """Sends a text message."""
        ...

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        """Closes it."""
        ...


class SlowError(Exception):
    """The caller does not take what it is sent."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a relay ends: what the bot is told, and the caller, if it is there."""

    bot: Close
    caller: Closed | None = None


class Outbox:
    """What waits to be sent to a caller, in order."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting: deque[tuple[float, bytes | str | Closed]] = deque()
        self._any = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, message: bytes | str | Closed) -> None:
        """Adds a message; raises `SlowError` where too many wait."""
        self._drop_stale_sound()
        if len(self._waiting) >= TEXTS and isinstance(message, str):
            raise SlowError
        self._waiting.append((self._clock(), message))
        self._any.set()

    async def get(self) -> bytes | str | Closed:
        """The next message, once there is one."""
        while True:
            self._drop_stale_sound()
            if self._waiting:
                return self._waiting.popleft()[1]
            self._any.clear()
            await self._any.wait()

    def _drop_stale_sound(self) -> None:
        oldest = self._clock() - SOUND_SECS
        if self._waiting and self._waiting[0][0] < oldest:
            fresh = [(at, each) for at, each in self._waiting if at >= oldest or not isinstance(each, bytes)]
            self._waiting = deque(fresh)


async def relay(caller: Caller, bot: AudioLine) -> None:
    """Carries messages until one side ends it, and ends the other.

    The bot is told whether the caller hung up or was lost; the caller gets the bot's close code and reason, or that the
    bot was lost.
    """
    outbox = Outbox()
    work = [
        asyncio.create_task(_from_caller(caller, bot)),
        asyncio.create_task(_from_bot(bot, outbox)),
        asyncio.create_task(_to_caller(caller, outbox)),
    ]
    ending = Ending(Close.CALLER_LOST)
    try:
        await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
        ending = next(task for task in work if task.done()).result()
    finally:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        await bot.close(Closed(ending.bot))
    if ending.caller is not None:
        await _close(caller, ending.caller)


async def _from_caller(caller: Caller, bot: AudioLine) -> Ending:
    while True:
        message = await caller.receive()
        if message["type"] == "websocket.disconnect":
            # uvicorn names a reason, though an empty one, only where the caller sent a close frame.
            hung_up = "reason" in message and message["code"] in HUNG_UP
            return Ending(Close.ENDED if hung_up else Close.CALLER_LOST)
        try:
            await bot.send(message["text"] if message.get("bytes") is None else message["bytes"])
        except BotGoneError:
            return Ending(Close.CALLER_LOST, Closed(Close.BOT_LOST, "bot_lost"))


async def _from_bot(bot: AudioLine, outbox: Outbox) -> Ending:
    try:
        while True:
            message = await bot.receive()
            outbox.put(message)
            if isinstance(message, Closed):
                await _forever()  # the caller gets what came before
    except SlowError:
        return Ending(Close.CALLER_LOST, Closed(Close.TOO_SLOW, "too_slow"))


async def _to_caller(caller: Caller, outbox: Outbox) -> Ending:
    try:
        while not isinstance(message := await outbox.get(), Closed):
            async with asyncio.timeout(SEND_SECS):
                await (caller.send_bytes(message) if isinstance(message, bytes) else caller.send_text(message))
    except TimeoutError:
        return Ending(Close.CALLER_LOST, Closed(Close.TOO_SLOW, "too_slow"))
    except (WebSocketDisconnect, RuntimeError):
        await _forever()  # what the caller said before is still to be read, and how it left
    ended = message.code in tuple(Close)
    return Ending(Close.CALLER_LOST, message if ended else Closed(Close.BOT_LOST, "bot_lost"))


async def _forever() -> NoReturn:
    while True:
        await asyncio.Event().wait()


async def _close(caller: Caller, closed: Closed) -> None:
    try:
        async with asyncio.timeout(SEND_SECS):
            await caller.close(closed.code, closed.reason)
    except (TimeoutError, WebSocketDisconnect, RuntimeError):
        pass  # there is nobody to tell
