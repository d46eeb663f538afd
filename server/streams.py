"""Answers that come bit by bit, and clients that leave before the end."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any, TypeVar

from fastapi import Request
from fastapi.responses import StreamingResponse
from loguru import logger
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from server.errors import Problem

T = TypeVar("T")
# No proxy on the way is to wait for more before it passes on what there is.
UNBUFFERED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


async def left(request: Request) -> None:
    """Return when the client leaves; its request must have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def while_connected(leaving: Coroutine[Any, Any, Any], work: Coroutine[Any, Any, T]) -> T:
    """What the work comes to; it is cancelled, and `ClientDisconnect` raised, where the client leaves before."""
    doing, gone = asyncio.ensure_future(work), asyncio.ensure_future(leaving)
    try:
        await asyncio.wait({doing, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise ClientDisconnect
        return doing.result()
    finally:
        doing.cancel()
        gone.cancel()
        await asyncio.gather(doing, gone, return_exceptions=True)


async def begun(parts: AsyncGenerator[T]) -> AsyncGenerator[T]:
    """The same parts, once there is a first: what goes wrong before that is raised here.

    Whoever asks closes `parts`, too.
    """
    try:
        first = await anext(parts)
    except StopAsyncIteration:
        return parts
    return _after(first, parts)


async def _after(first: T, parts: AsyncGenerator[T]) -> AsyncGenerator[T]:
    yield first
    async for part in parts:
        yield part


async def server_sent(events: AsyncGenerator[dict[str, Any]]) -> AsyncGenerator[bytes]:
    """The events as `text/event-stream`, named by their type; a problem is the last one, `error`."""
    try:
        async for event in events:
            yield _server_sent(event)
    except Problem as problem:
        yield _server_sent({"type": "error", **error_event(problem)})


def error_event(problem: Problem) -> dict[str, Any]:
    """A problem as an event tells it."""
    return {"status": problem.status, "title": problem.title, "detail": problem.detail}


def _server_sent(event: dict[str, Any]) -> bytes:
    told = {name: value for name, value in event.items() if name != "type"}
    return f"event: {event['type']}\ndata: {json.dumps(told)}\n\n".encode()


class Streamed(StreamingResponse):
    """Parts as they come.

    `closing` is closed behind them, however they end. `leaving` ends when the client leaves, where somebody else reads
    what it sends.
    """

    def __init__(
        self,
        parts: AsyncGenerator[bytes],
        *,
        closing: AsyncExitStack,
        media_type: str,
        headers: dict[str, str] | None = None,
        leaving: Callable[[], Awaitable[Any]] | None = None,
    ) -> None:
        super().__init__(parts, media_type=media_type, headers=UNBUFFERED | (headers or {}))
        self._closing = closing
        self._leaving = leaving

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Starlette's: answer."""
        async with self._closing:
            await super().__call__(scope, receive, send)

    async def listen_for_disconnect(self, receive: Receive) -> None:
        """Starlette's: return when the client leaves."""
        if self._leaving is None:
            await super().listen_for_disconnect(receive)
        else:
            await self._leaving()

    async def stream_response(self, send: Send) -> None:
        """Starlette's: send the parts; where they can't go on, the connection breaks off."""
        try:
            await super().stream_response(send)
        except Problem as problem:
            logger.warning("an answer broke off: {}", problem.title)
