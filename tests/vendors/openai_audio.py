"""A server on loopback that speaks `POST /v1/audio/speech` and `/v1/audio/transcriptions` as OpenAI documents them."""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import soundfile
from aiohttp import web

from evals.scenarios.tones import tone_of
from tests.vendors.http import HttpDouble
from tests.vendors.openai_chat import KEY, refusal

RATE_HZ = 24_000
CHARACTER_SECS = 0.06
PIECE_SECS = 0.1


@dataclass(kw_only=True)
class OpenAIAudio(HttpDouble):
    """Hears `transcripts`, one a request, then `usually`, and speaks any text as a tone, 60 ms a character.

    `asked` are the requests in their order: the body of a text to speak; of an utterance the fields of its form, with
    `rate_hz` and `audio_secs` of its file. A voice that is not among `voices` is refused, where they are named.
    """

    transcripts: list[str] = field(default_factory=list)
    usually: str = ""
    voices: frozenset[str] | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Yield the base URL that a client is given."""
        routes = [web.post("/v1/audio/speech", self._speak), web.post("/v1/audio/transcriptions", self._transcribe)]
        async with self._served(routes, path="/v1") as url:
            yield url

    async def _transcribe(self, request: web.Request) -> web.StreamResponse:
        form = dict(await request.post())
        file = form.pop("file")
        assert isinstance(file, web.FileField)
        audio, rate_hz = soundfile.read(io.BytesIO(file.file.read()), dtype="int16")
        self.asked.append({**form, "rate_hz": rate_hz, "audio_secs": len(audio) / rate_hz})
        fault = self.faults.next()
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            fault = "unauthorized"
        if (failure := await self._failed(request, fault, refusal)) is not None:
            return failure
        await self.faults.first()
        text = "" if fault == "empty" else self.transcripts.pop(0) if self.transcripts else self.usually
        answer = web.json_response({"text": text})
        if fault not in ("stall_midway", "drop"):
            return answer
        assert isinstance(answer.body, bytes)
        return await self._halved(request, answer.body, fault, headers={"Content-Type": "application/json"})

    async def _halved(
        self, request: web.Request, body: bytes, fault: Any, *, headers: dict[str, str]
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={**headers, "Content-Length": str(len(body))})
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        await self._cut(request, fault)
        return response

    async def _speak(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append(body)
        fault = self.faults.next()
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            fault = "unauthorized"
        if (failure := await self._failed(request, fault, refusal)) is not None:
            return failure
        if self.voices is not None and body["voice"] not in self.voices:
            error = {"message": "No such voice.", "type": "invalid_request_error", "param": "voice", "code": None}
            return web.json_response({"error": error}, status=400)
        await self.faults.first()
        rate_hz = RATE_HZ // 2 if fault == "wrong_rate" else RATE_HZ
        pcm = (
            b""
            if fault == "empty"
            else spoken(body["input"], voice=body["voice"], speed=body.get("speed", 1.0), rate_hz=rate_hz)
        )
        size = int(RATE_HZ * PIECE_SECS) * 2
        parts = [pcm[at : at + size] for at in range(0, len(pcm), size)]
        response = web.StreamResponse(headers={"Content-Type": "audio/pcm"})
        await response.prepare(request)
        number = 0
        async for part in self.faults.paced(parts, piece_secs=PIECE_SECS):
            if number == len(parts) // 2 and await self._cut(request, fault):
                return response
            await response.write(part)
            number += 1
        return response


def spoken(text: str, *, voice: str, speed: float = 1.0, rate_hz: int = RATE_HZ) -> bytes:
    """A tone as long as the text takes, and each voice's another: 16 bits, mono."""
    times = np.arange(round(len(text) * CHARACTER_SECS / speed * rate_hz)) / rate_hz
    return (np.sin(2 * np.pi * tone_of(voice) * times) * 8_000).astype("<i2").tobytes()
