"""A server on loopback that speaks Cartesia's `WS /tts/websocket` and `POST /tts/bytes`, and fails when told to."""

import asyncio
import base64
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.vendors.faults import Fault
from tests.vendors.voice import GARBAGE, Speech, VoiceVendor, heard, rate_of

REQUEST_ID = "550e8400-e29b-41d4-a716-446655440000"
REFUSALS: dict[str, tuple[int, str | None, str, str]] = {
    "unauthorized": (401, "unauthorized", "Unauthorized", "The API key is not valid."),
    "rate_limited": (
        429,
        "concurrency_limited",
        "Too many concurrent requests",
        "You have exceeded your plan's concurrency limit.",
    ),
    "server_error": (500, None, "Internal server error", "Something went wrong on our side."),
    "bad_request": (400, None, "Invalid request", "A required field is missing."),
}


@dataclass
class _Context:
    """Transcripts that continue each other; `begin_secs` is what is spoken already."""

    fault: Fault | None
    transcripts: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    begin_secs: float = 0.0
    flushes: int = 0
    speaking: asyncio.Task[None] | None = None


@dataclass
class Cartesia(VoiceVendor):
    """Speaks each transcript as it comes."""

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/tts/websocket", self._websocket), web.post("/tts/bytes", self._bytes)]

    def is_known(self, request: web.Request) -> bool:
        key = request.headers.get("X-API-Key") or request.headers.get("Authorization", "").removeprefix("Bearer ")
        return key == self.KEY and "Cartesia-Version" in request.headers

    def refusal(self, fault: str) -> tuple[int, dict[str, Any]]:
        status, code, title, message = REFUSALS[fault]
        return status, {"error_code": code, "title": title, "message": message, "request_id": REQUEST_ID}

    async def _bytes(self, request: web.Request) -> web.StreamResponse:
        fault = self.faults.next()
        body = await request.json()
        self.asked.append(body)
        await self.answerable(request, fault)
        if not _is_whole(body):
            status, error = self.refusal("bad_request")
            return web.json_response(error, status=status)
        response = web.StreamResponse(headers={"Content-Type": "audio/wav"})
        await self.faults.first()
        await response.prepare(request)
        if fault == "garbage":
            await response.write(GARBAGE.encode())
            return response
        speech = _speech(body, fault)
        async for piece in self.faults.paced(heard(speech.pieces, fault), piece_secs=speech.piece_secs):
            await response.write(piece.pcm)
        if fault == "drop":
            self.abort(request)
        if fault == "stall_midway":
            await self.deaf(request)
        return response

    async def _websocket(self, request: web.Request) -> web.WebSocketResponse:
        socket = await self.connected(request)
        contexts: dict[str, _Context] = {}
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    continue
                body = json.loads(message.data)
                self.asked.append(body)
                await self._take(body, contexts, socket, request)
        finally:
            for context in contexts.values():
                _stop(context)
        return socket

    async def _take(
        self, body: dict[str, Any], contexts: dict[str, _Context], socket: web.WebSocketResponse, request: web.Request
    ) -> None:
        name = body.get("context_id", "")
        if body.get("cancel"):
            if context := contexts.pop(name, None):
                _stop(context)
            return
        if not _is_whole(body) or not name:
            await socket.send_json(self._error("bad_request", name))
            return
        if name not in contexts:
            fault = self.faults.next() if self.faults.fault != "refuse" else None
            if fault == "half_open":
                await self.deaf(request)
            if fault in REFUSALS:
                await socket.send_json(self._error(fault, name))
                return
            context = contexts[name] = _Context(fault)
            context.speaking = asyncio.create_task(self._speak(name, contexts, socket, request))
        contexts[name].transcripts.put_nowait(body)

    async def _speak(
        self, name: str, contexts: dict[str, _Context], socket: web.WebSocketResponse, request: web.Request
    ) -> None:
        context, continues = contexts[name], True
        if context.fault == "stall":
            return
        while continues:
            body = await context.transcripts.get()
            if context.begin_secs == 0.0:
                await self.faults.first()
            if context.fault == "garbage":
                await socket.send_str(GARBAGE)
                return
            await self._say(body, context, name, socket)
            if context.fault == "drop":
                self.abort(request)
            if context.fault in ("drop", "stall_midway"):
                return
            continues = body.get("continue", False)
        contexts.pop(name, None)
        await socket.send_json(_event("done", name, done=True))

    async def _say(self, body: dict[str, Any], context: _Context, name: str, socket: web.WebSocketResponse) -> None:
        if not (text := body["transcript"]):
            return
        speech = _speech(body, context.fault)
        words = _words(text, context.begin_secs, speech.character_secs)
        pieces = heard(speech.pieces, context.fault)
        async for piece in self.faults.paced(pieces, piece_secs=speech.piece_secs):
            data = base64.b64encode(piece.pcm).decode()
            await socket.send_json(_event("chunk", name, data=data, step_time=1.5))
            end = piece.begin + len(piece.text)
            said = [word for word in words if piece.begin <= word[0] < end]
            if body.get("add_timestamps") and said:
                _, texts, starts, ends = zip(*said, strict=True)
                times = {"words": list(texts), "start": list(starts), "end": list(ends)}
                await socket.send_json(_event("timestamps", name, word_timestamps=times))
        context.begin_secs += speech.character_secs * len(text)
        if body.get("max_buffer_delay_ms") == 0 or body.get("flush"):
            context.flushes += 1
            await socket.send_json(_event("flush_done", name, flush_done=True, flush_id=context.flushes))

    def _error(self, fault: str, name: str) -> dict[str, Any]:
        status, body = self.refusal(fault)  # pyright: ignore[reportArgumentType]
        return {"type": "error", "done": True, "status_code": status, "context_id": name, **body}


def _stop(context: _Context) -> None:
    if context.speaking is not None:
        context.speaking.cancel()


def _is_whole(body: dict[str, Any]) -> bool:
    voice, output = body.get("voice") or {}, body.get("output_format") or {}
    is_raw = (output.get("container"), output.get("encoding")) == ("raw", "pcm_s16le")
    return bool("transcript" in body and body.get("model_id") and voice.get("id") and is_raw)


def _speech(body: dict[str, Any], fault: Fault | None) -> Speech:
    speed = (body.get("generation_config") or {}).get("speed", 1.0)
    return Speech(body["transcript"], rate_of(body["output_format"]["sample_rate"], fault), speed, body["voice"]["id"])


def _words(text: str, begin_secs: float, character_secs: float) -> list[tuple[int, str, float, float]]:
    """Each word: its place in the text, itself, and when it begins and ends in the context."""
    found, place = [], 0
    for word in text.split():
        place = text.index(word, place)
        begin = begin_secs + place * character_secs
        found.append((place, word, begin, begin + len(word) * character_secs))
        place += len(word)
    return found


def _event(kind: str, name: str, *, done: bool = False, **more: Any) -> dict[str, Any]:
    return {"type": kind, "done": done, "status_code": 206, "context_id": name, **more}
