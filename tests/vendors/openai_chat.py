"""A server on loopback that speaks `POST /v1/chat/completions` as OpenAI documents it, and fails when told to."""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.vendors.faults import Fault
from tests.vendors.http import HttpDouble

KEY = "sk-test"
ID = "chatcmpl-test"
CREATED = 1_700_000_000


@dataclass(frozen=True)
class ToolCall:
    """A function that the model wants called."""

    name: str
    arguments: dict[str, Any]
    id: str = "call_test"


Messages = list[dict[str, Any]]
Answer = str | ToolCall


@dataclass(kw_only=True)
class OpenAIChat(HttpDouble):
    """Answers by `answer`, a function of the messages; `asked` are the bodies of the requests, in their order."""

    answer: Callable[[Messages], Answer] = lambda messages: "We open at nine."
    asked: list[dict[str, Any]] = field(default_factory=list)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Yield the base URL that a client is given."""
        async with self._served([web.post("/v1/chat/completions", self._complete)], path="/v1") as url:
            yield url

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append(body)
        fault = self.faults.next()
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            fault = "unauthorized"
        if (failure := await self._failed(request, fault, refusal)) is not None:
            return failure
        answer = "" if fault == "empty" else self.answer(body["messages"])
        await self.faults.first()
        if not body.get("stream"):
            return web.json_response(completion(body, answer))
        return await self._streamed(request, body, answer, fault)

    async def _streamed(
        self, request: web.Request, body: dict[str, Any], answer: Answer, fault: Fault | None
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        events = list(chunks(body, answer))
        number = 0
        async for event in self.faults.paced(events, piece_secs=0.05):
            if number == len(events) // 2 and await self._cut(request, fault):
                return response
            await response.write(f"data: {json.dumps(event)}\n\n".encode())
            number += 1
        await response.write(b"data: [DONE]\n\n")
        return response


def chunks(body: dict[str, Any], answer: Answer) -> Iterator[dict[str, Any]]:
    """The events of a streamed answer: its role, a piece a word, why it ended, and what it cost if that was asked."""
    has_usage = bool((body.get("stream_options") or {}).get("include_usage"))

    def chunk(choices: list[dict[str, Any]], used: dict[str, Any] | None = None) -> dict[str, Any]:
        event = {"id": ID, "object": "chat.completion.chunk", "created": CREATED, "model": body["model"]}
        return event | {"choices": choices} | ({"usage": used} if has_usage else {})

    def choice(delta: dict[str, Any], finish_reason: str | None = None) -> list[dict[str, Any]]:
        return [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}]

    yield chunk(choice({"role": "assistant", "content": "" if isinstance(answer, str) else None}))
    if isinstance(answer, str):
        for piece in pieces(answer):
            yield chunk(choice({"content": piece}))
    else:
        function = {"name": answer.name, "arguments": ""}
        yield chunk(choice({"tool_calls": [{"index": 0, "id": answer.id, "type": "function", "function": function}]}))
        for piece in pieces(json.dumps(answer.arguments)):
            yield chunk(choice({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}))
    yield chunk(choice({}, "stop" if isinstance(answer, str) else "tool_calls"))
    if has_usage:
        yield chunk([], usage(body, answer))


def completion(body: dict[str, Any], answer: Answer) -> dict[str, Any]:
    """The answer in one piece."""
    message: dict[str, Any] = {"role": "assistant", "content": answer if isinstance(answer, str) else None}
    if isinstance(answer, ToolCall):
        function = {"name": answer.name, "arguments": json.dumps(answer.arguments)}
        message["tool_calls"] = [{"id": answer.id, "type": "function", "function": function}]
    finish_reason = "stop" if isinstance(answer, str) else "tool_calls"
    return {
        "id": ID, "object": "chat.completion", "created": CREATED, "model": body["model"],
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason}],
        "usage": usage(body, answer),
    }  # fmt: skip


def usage(body: dict[str, Any], answer: Answer) -> dict[str, Any]:
    """What was read and said, a word a token."""
    read = sum(len(str(message.get("content") or "").split()) for message in body["messages"])
    said = len(answer.split()) if isinstance(answer, str) else len(answer.arguments)
    return {"prompt_tokens": read, "completion_tokens": said, "total_tokens": read + said}


def pieces(text: str) -> list[str]:
    """The text in words, each with the space before it."""
    return re.findall(r"\s*\S+", text)


def refusal(status: int) -> web.Response:
    """An error in OpenAI's words."""
    kind, code, message = {
        401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
        429: ("requests", "rate_limit_exceeded", "Rate limit reached."),
    }.get(status, ("server_error", None, "The server had an error while processing your request."))
    error = {"message": message, "type": kind, "param": None, "code": code}
    return web.json_response({"error": error}, status=status)
