"""Audio on its way from a client to the desk."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Request, WebSocket
from starlette.requests import ClientDisconnect

from server.bodies import MB
from server.errors import Problem

PART_BYTES = 64 * 1024
MOST_WAITING = 16
# Whoever sends audio sends some of it so often, silence included.
PATIENCE_SECS = 30.0


class Intake:
    """Takes what a client sends, as fast as it is used, and ends with the reason why no more comes.

    `left` is set when the client has left. The parts raise `ClientDisconnect`, and a 408, 413 or 422 `Problem`.
    """

    def __init__(self, *, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._taken = 0
        self._waiting: asyncio.Queue[bytes | Exception | None] = asyncio.Queue(MOST_WAITING)
        self.left = asyncio.Event()

    async def add(self, audio: bytes) -> None:
        """Take a piece of any size."""
        self._taken += len(audio)
        if self._taken > self._limit_bytes:
            detail = f"At most {self._limit_bytes // MB} MB are taken; send it in several requests."
            await self.end(Problem(413, "The request is too large", detail))
            return
        for at in range(0, len(audio), PART_BYTES):
            await self._waiting.put(audio[at : at + PART_BYTES])

    async def end(self, reason: Exception | None = None) -> None:
        """No more comes."""
        await self._waiting.put(reason)

    async def parts(self) -> AsyncGenerator[bytes]:
        """The audio."""
        while True:
            try:
                part = await asyncio.wait_for(self._waiting.get(), PATIENCE_SECS)
            except TimeoutError:
                detail = f"Nothing came for {PATIENCE_SECS:.0f} s; send audio as it comes, and end the request."
                raise Problem(408, "The audio stopped coming", detail) from None
            if isinstance(part, Exception):
                raise part
            if part is None:
                return
            yield part


@asynccontextmanager
async def body_of(request: Request, *, limit_bytes: int) -> AsyncIterator[Intake]:
    """A request's body, read beside whatever is done with it."""
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said) > limit_bytes:
        raise Problem(413, "The request is too large", f"At most {limit_bytes // MB} MB are taken.")
    intake = Intake(limit_bytes=limit_bytes)
    reading = asyncio.create_task(_read_body(request, intake), name="audio-body")
    try:
        yield intake
    finally:
        await _end(reading)


@asynccontextmanager
async def messages_of(websocket: WebSocket, *, limit_bytes: int) -> AsyncIterator[Intake]:
    """A websocket's binary messages; a text message ends them."""
    intake = Intake(limit_bytes=limit_bytes)
    reading = asyncio.create_task(_read_messages(websocket, intake), name="audio-messages")
    try:
        yield intake
    finally:
        await _end(reading)


async def _read_body(request: Request, intake: Intake) -> None:
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            intake.left.set()
            await intake.end(ClientDisconnect())
            return
        await intake.add(message.get("body", b""))
        if not message.get("more_body", False):
            await intake.end()


async def _read_messages(websocket: WebSocket, intake: Intake) -> None:
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            intake.left.set()
            await intake.end(ClientDisconnect())
            return
        if (audio := message.get("bytes")) is not None:
            await intake.add(audio)
        elif message.get("text") == "end":
            await intake.end()
        else:
            detail = "Send audio in binary messages, and the text `end` behind the last."
            await intake.end(Problem(422, "This message is not known", detail))


async def _end(reading: "asyncio.Task[None]") -> None:
    reading.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await reading
