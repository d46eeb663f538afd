"""What a request may carry: how much, and of which type."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.types import Message

from server.errors import Problem

MB = 1024 * 1024
MAX_JSON_BYTES = MB
# Enough to see how a form ends.
TAIL_BYTES = 64


class JsonRoute(APIRoute):
    """A route that takes at most 1 MB of JSON, where it takes a body."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What FastAPI runs for a request."""
        handle = super().get_route_handler()
        takes_json = self.body_field is not None

        async def checked(request: Request) -> Response:
            try:
                return await handle(await _with_json(request) if takes_json else request)
            except ClientDisconnect:
                raise Problem(400, "The request broke off", "Send it again.") from None

        return checked


class LimitedBody:
    """A request's body, refused with a 413 `Problem` as soon as it is known to be too large; `tail` is how it ends."""

    def __init__(self, request: Request, *, limit_bytes: int):
        self._request = request
        self._limit_bytes = limit_bytes
        self._taken = 0
        self.tail = b""

    def as_request(self) -> Request:
        """The request, to be read in its place."""
        said = self._request.headers.get("content-length", "")
        if said.isdecimal() and int(said) > self._limit_bytes:
            raise self._too_large()
        return Request(self._request.scope, self._receive)

    async def _receive(self) -> Message:
        message = await self._request.receive()
        part = message.get("body", b"")
        self._taken += len(part)
        if self._taken > self._limit_bytes:
            raise self._too_large()
        self.tail = (self.tail + part[-TAIL_BYTES:])[-TAIL_BYTES:]
        return message

    def _too_large(self) -> Problem:
        detail = f"At most {self._limit_bytes // MB} MB are taken; send it in several requests."
        return Problem(413, "The request is too large", detail)


def media_type_of(request: Request) -> str:
    """The body's type in lower case, without parameters; empty where none is named."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _with_json(request: Request) -> Request:
    """The request with its body read, so that FastAPI finds JSON in it or nothing."""
    body = await LimitedBody(request, limit_bytes=MAX_JSON_BYTES).as_request().body()
    if body and media_type_of(request) != "application/json":
        raise Problem(415, "The body is of the wrong type", "Send JSON, with `Content-Type: application/json`.")
    try:
        body.decode()
    except UnicodeDecodeError:
        raise Problem(422, "The request is not valid", "The body is no UTF-8 text; send JSON.") from None

    read = False

    async def replay() -> Message:
        nonlocal read
        if read:
            return await request.receive()
        read = True
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(request.scope, replay)
