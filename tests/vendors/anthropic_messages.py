"""A server on loopback that speaks `POST /v1/messages` as Anthropic documents it, and fails when told to."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.vendors.faults import Fault
from tests.vendors.http import HttpDouble
from tests.vendors.openai_chat import Answer, Messages, ToolCall, pieces

KEY = "sk-ant-test"
VERSION = "2023-06-01"
OVERLOADED = 529

KINDS = {
    400: ("invalid_request_error", "messages: not in the form that is required"),
    401: ("authentication_error", "invalid x-api-key"),
    429: ("rate_limit_error", "This request would exceed your rate limit."),
    500: ("api_error", "Internal server error"),
    OVERLOADED: ("overloaded_error", "Overloaded"),
}


@dataclass(kw_only=True)
class AnthropicMessages(HttpDouble):
    """Answers by `answer`, a function of the messages; `asked` are the bodies of the requests, in their order.

    Where it `is_overloaded`, it says so as the vendor does: by 529, or `is_overloaded_midway`, by an event within.
    """

    answer: Callable[[Messages], Answer] = lambda messages: "We open at nine."
    is_overloaded: bool = False
    is_overloaded_midway: bool = False
    asked: list[dict[str, Any]] = field(default_factory=list)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Yield the base URL that a client is given."""
        async with self._served([web.post("/v1/messages", self._create)]) as url:
            yield url

    async def _create(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append(body)
        fault = self.faults.next()
        if request.headers.get("x-api-key") != KEY:
            fault = "unauthorized"
        if (failure := await self._failed(request, fault, refusal)) is not None:
            return failure
        if self.is_overloaded:
            return refusal(OVERLOADED)
        if not is_valid(body) or request.headers.get("anthropic-version") != VERSION:
            return refusal(400)
        await self.faults.first()
        answer = "" if fault == "empty" else self.answer(body["messages"])
        if not body.get("stream"):
            return web.json_response(message(body, content=[block(answer)], reason=reason(answer), answer=answer))
        return await self._streamed(request, body, answer, fault)

    async def _streamed(
        self, request: web.Request, body: dict[str, Any], answer: Answer, fault: Fault | None
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        sent = list(events(body, answer))
        number = 0
        async for event in self.faults.paced(sent, piece_secs=0.05):
            if number == len(sent) // 2:
                if self.is_overloaded_midway:
                    await response.write(line(failure(OVERLOADED)))
                    return response
                if await self._cut(request, fault):
                    return response
            await response.write(line(event))
            number += 1
        return response


def is_valid(body: dict[str, Any]) -> bool:
    """Whether the messages are a dialogue that the user begins and ends; an instruction is no part of it."""
    roles = [each["role"] for each in body["messages"]]
    return {*roles} <= {"user", "assistant"} and roles[:1] == roles[-1:] == ["user"] and body.get("max_tokens", 0) > 0


def events(body: dict[str, Any], answer: Answer) -> Iterator[dict[str, Any]]:
    """The events of a streamed answer, in their order."""
    yield {"type": "message_start", "message": message(body, content=[], reason=None, answer="")}
    if answer:
        text = isinstance(answer, str)
        yield {"type": "content_block_start", "index": 0, "content_block": block("" if text else answer, is_open=True)}
        yield {"type": "ping"}
        if isinstance(answer, str):
            deltas = [{"type": "text_delta", "text": piece} for piece in pieces(answer)]
        else:
            parts = ["", *pieces(json.dumps(answer.arguments))]
            deltas = [{"type": "input_json_delta", "partial_json": part} for part in parts]
        for delta in deltas:
            yield {"type": "content_block_delta", "index": 0, "delta": delta}
        yield {"type": "content_block_stop", "index": 0}
    end = {"stop_reason": reason(answer), "stop_sequence": None}
    yield {"type": "message_delta", "delta": end, "usage": {"output_tokens": tokens(answer)}}
    yield {"type": "message_stop"}


def message(
    body: dict[str, Any], *, content: list[dict[str, Any]], reason: str | None, answer: Answer
) -> dict[str, Any]:
    """The message of the answer."""
    read = sum(len(json.dumps(each["content"]).split()) for each in body["messages"])
    usage = {"input_tokens": read, "output_tokens": tokens(answer)}
    usage |= {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    return {
        "id": "msg_test", "type": "message", "role": "assistant", "model": body["model"], "content": content,
        "stop_reason": reason, "stop_sequence": None, "usage": usage,
    }  # fmt: skip


def block(answer: Answer, *, is_open: bool = False) -> dict[str, Any]:
    """A block of content; an open one is filled by deltas."""
    if isinstance(answer, ToolCall):
        return {"type": "tool_use", "id": answer.id, "name": answer.name, "input": {} if is_open else answer.arguments}
    return {"type": "text", "text": answer}


def reason(answer: Answer) -> str:
    """Why the answer ended."""
    return "tool_use" if isinstance(answer, ToolCall) else "end_turn"


def tokens(answer: Answer) -> int:
    """What was said, a word a token."""
    return len(answer.split()) if isinstance(answer, str) else len(answer.arguments)


def failure(status: int) -> dict[str, Any]:
    """An error in Anthropic's words."""
    kind, said = KINDS[status]
    return {"type": "error", "error": {"type": kind, "message": said}, "request_id": "req_test"}


def refusal(status: int) -> web.Response:
    """A response that is an error."""
    return web.json_response(failure(status), status=status)


def line(event: dict[str, Any]) -> bytes:
    """The event as it is sent."""
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
