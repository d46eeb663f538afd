"""A server on loopback that speaks `POST /v1/embeddings` as OpenAI documents it, and fails when told to."""

import asyncio
import re
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

KEY = "sk-test"
MAX_INPUTS = 2_048


@dataclass
class OpenAIEmbeddings:
    """How it answers; `asked` are the bodies of the requests, in their order.

    `statuses` are the answers of the next requests, 200 when there are no more; 429 comes with `retry_after`. `missing`
    vectors are left out of each answer. A vector is as long as its text has words.
    """

    dimensions: int = 16
    delay_secs: float = 0.0
    statuses: list[int] = field(default_factory=list)
    retry_after: str = "1"
    missing: int = 0
    is_shuffled: bool = False
    answers_with: Any = None
    asked: list[dict[str, Any]] = field(default_factory=list)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Yield the base URL that a client is given."""
        app = web.Application()
        app.add_routes([web.post("/v1/embeddings", self._embed)])
        async with TestServer(app, host="127.0.0.1") as server:
            yield str(server.make_url("/v1"))

    async def _embed(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.append(body)
        await asyncio.sleep(self.delay_secs)
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return _error(401, "Incorrect API key provided.", "invalid_request_error", code="invalid_api_key")
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 429:
            headers = {"Retry-After": self.retry_after}
            return _error(429, "Rate limit reached.", "requests", code="rate_limit_exceeded", headers=headers)
        if status != 200:
            return _error(status, "The server had an error while processing your request.", "server_error")
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        if not texts or len(texts) > MAX_INPUTS or not all(texts):
            return _error(400, "'$.input' is invalid.", "invalid_request_error")
        if self.answers_with is not None:
            return web.json_response(self.answers_with)
        return web.json_response(self._answer(body, texts))

    def _answer(self, body: dict[str, Any], texts: list[str]) -> dict[str, Any]:
        dimensions = body.get("dimensions", self.dimensions)
        data = [
            {"object": "embedding", "index": index, "embedding": _vector(text, dimensions)}
            for index, text in enumerate(texts)
        ]
        data = data[: len(data) - self.missing]
        if self.is_shuffled:
            data.reverse()
        tokens = sum(len(text.split()) for text in texts)
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return {"object": "list", "data": data, "model": body["model"], "usage": usage}


def _vector(text: str, dimensions: int) -> list[float]:
    vector = [0.0] * dimensions
    for word in re.findall(r"\w+", text.lower()) or [text]:
        vector[zlib.crc32(word.encode()) % dimensions] += 1.0
    return vector


def _error(
    status: int, message: str, kind: str, *, code: str | None = None, headers: dict[str, str] | None = None
) -> web.Response:
    error = {"message": message, "type": kind, "param": None, "code": code}
    return web.json_response({"error": error}, status=status, headers=headers)
