"""A server on loopback that speaks `POST /v1beta/models/…:streamGenerateContent?alt=sse`, and fails when told to."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.vendors.faults import Fault, Faults

KEY = "google-test"
RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"
ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
WORDS_A_PIECE = 3


@dataclass
class GoogleGenAI:
    """Answers by `answer`, which is given the request's body; `asked` are the bodies, `models` the models asked for.

    `left` counts the answers whose client went away midway.
    """

    answer: Callable[[dict[str, Any]], str] = lambda body: "I don't know."
    faults: Faults = field(default_factory=Faults)
    asked: list[dict[str, Any]] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    left: int = 0

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Yield the base URL that a client is given."""
        app = web.Application()
        app.add_routes([web.post("/v1beta/models/{call}", self._call)])
        async with TestServer(app, host="127.0.0.1", handler_cancellation=True) as server:
            yield str(server.make_url("/"))

    async def _call(self, request: web.Request) -> web.StreamResponse:
        fault = self.faults.next()
        if fault == "refuse":
            _abort(request)
        body = await request.json()
        model, _, method = request.match_info["call"].partition(":")
        self.asked.append(body)
        self.models.append(model)
        if method != "streamGenerateContent" or request.query.get("alt") != "sse":
            return _error(404, "NOT_FOUND", f"{method} is not served here.")
        if fault == "unauthorized" or request.headers.get("x-goog-api-key") != KEY:
            reason = {"@type": ERROR_INFO, "reason": "API_KEY_INVALID", "domain": "googleapis.com"}
            message = "API key not valid. Please pass a valid API key."
            return _error(400, "INVALID_ARGUMENT", message, details=[reason])
        if fault == "rate_limited":
            retry = {"@type": RETRY_INFO, "retryDelay": f"{self.faults.retry_after}s"}
            message = "You exceeded your current quota, please check your plan and billing details."
            headers = {"Retry-After": self.faults.retry_after}
            return _error(429, "RESOURCE_EXHAUSTED", message, details=[retry], headers=headers)
        if fault == "server_error":
            return _error(500, "INTERNAL", "An internal error has occurred.")
        if not body.get("contents"):
            return _error(400, "INVALID_ARGUMENT", "GenerateContentRequest.contents: contents is not specified")
        if fault in ("stall", "half_open"):
            await asyncio.Event().wait()
        await self.faults.first()
        return await self._stream(request, model, self.answer(body), fault)

    async def _stream(self, request: web.Request, model: str, text: str, fault: Fault | None) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        chunks = list(_chunks(model, "" if fault == "empty" else text))
        is_whole = False
        try:
            for number, chunk in enumerate(chunks):
                if number == len(chunks) // 2:
                    await _break(request, response, fault)
                await response.write(b"data: " + json.dumps(chunk).encode() + b"\r\n\r\n")
            is_whole = True
        finally:
            self.left += not is_whole
        return response


async def _break(request: web.Request, response: web.StreamResponse, fault: Fault | None) -> None:
    if fault == "stall_midway":
        await asyncio.Event().wait()
    if fault == "drop":
        _abort(request)
    if fault == "garbage":
        await response.write(b"data: <html>not JSON</html>\r\n\r\n")


def _abort(request: web.Request) -> None:
    assert request.transport is not None
    request.transport.abort()
    raise ConnectionResetError


def _chunks(model: str, text: str) -> Iterator[dict[str, Any]]:
    words = text.split(" ") if text else []
    starts = range(0, len(words), WORDS_A_PIECE)
    pieces = [" ".join(words[start : start + WORDS_A_PIECE]) + " " for start in starts]
    if pieces:
        pieces[-1] = pieces[-1][:-1]
    usage = {"promptTokenCount": 10, "candidatesTokenCount": len(words), "totalTokenCount": 10 + len(words)}
    last = {"candidates": [{"index": 0, "finishReason": "STOP"}]}
    for piece in pieces:
        content = {"role": "model", "parts": [{"text": piece}]}
        yield {"candidates": [{"content": content, "index": 0}], "modelVersion": model, "responseId": "r"}
    yield {**last, "usageMetadata": usage, "modelVersion": model, "responseId": "r"}


def _error(
    status: int, name: str, message: str, *, details: list[Any] | None = None, headers: dict[str, str] | None = None
) -> web.Response:
    error: dict[str, Any] = {"code": status, "message": message, "status": name}
    if details:
        error["details"] = details
    return web.json_response({"error": error}, status=status, headers=headers)
