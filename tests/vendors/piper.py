"""A server on loopback that speaks as `python -m piper.http_server` does, and fails when told to."""

import asyncio
import io
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.vendors.faults import Faults

TONE_HZ = 220
PIECE_SECS = 0.1
WAV = {"Content-Type": "audio/wav"}
# Flask's own words; Piper has neither keys nor limits, a proxy in front of it may.
STATUSES = {"unauthorized": 401, "rate_limited": 429, "server_error": 500}


@dataclass
class Piper:
    """How it speaks: words take `word_secs` each, `rate_hz` is the voice's; `asked` are the bodies that came."""

    faults: Faults = field(default_factory=Faults)
    rate_hz: int = 22_050
    word_secs: float = 0.25
    asked: list[dict[str, Any]] = field(default_factory=list)
    _ending: asyncio.Event = field(default_factory=asyncio.Event, init=False, repr=False)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Yield the URL that a client is given."""
        app = web.Application()
        app.add_routes([web.post("/", self._speak)])
        async with TestServer(app, host="127.0.0.1") as server:
            yield str(server.make_url("/"))
            self._ending.set()

    async def _speak(self, request: web.Request) -> web.StreamResponse:
        fault = self.faults.next()
        if fault == "half_open":
            await self._ending.wait()
        body = await request.json()
        self.asked.append(body)
        if fault == "refuse":
            return self._abort(request)
        if fault in STATUSES:
            headers = {"Retry-After": self.faults.retry_after} if fault == "rate_limited" else None
            return web.Response(status=STATUSES[fault], text="<!doctype html><title>Error</title>", headers=headers)
        if fault == "stall":
            await self._ending.wait()
        await self.faults.first()
        if fault == "garbage":
            return web.Response(text="<!doctype html><title>Welcome</title>", content_type="text/html")
        secs = 0.0 if fault == "empty" else len(body["text"].split()) * self.word_secs * body.get("length_scale", 1.0)
        wav = _wav(secs, self.rate_hz // 2 if fault == "wrong_rate" else self.rate_hz)
        response = web.StreamResponse(headers=WAV)
        response.content_length = len(wav)
        await response.prepare(request)
        size = round(PIECE_SECS * self.rate_hz) * 2
        pieces = [wav[at : at + size] for at in range(0, len(wav), size)]
        if fault in ("stall_midway", "drop"):
            pieces = pieces[: len(pieces) // 2]
        async for piece in self.faults.paced(pieces, piece_secs=PIECE_SECS):
            await response.write(piece)
        if fault == "stall_midway":
            await self._ending.wait()
        if fault == "drop":
            return self._abort(request)
        return response

    def _abort(self, request: web.Request) -> web.Response:
        if request.transport is not None:
            request.transport.abort()
        return web.Response()


def _wav(secs: float, rate_hz: int) -> bytes:
    at_secs = np.arange(round(secs * rate_hz)) / rate_hz
    tone = (8_000 * np.sin(2 * np.pi * TONE_HZ * at_secs)).astype(np.int16)
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes(tone.tobytes())
    return file.getvalue()
