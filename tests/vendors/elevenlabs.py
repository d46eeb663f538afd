"""A server on loopback that speaks ElevenLabs' websocket of many contexts and its stream with timestamps over HTTP."""

import asyncio
import base64
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from tests.vendors.faults import Fault
from tests.vendors.voice import GARBAGE, Piece, Speech, VoiceVendor, heard, rate_of

MOST_CONTEXTS = 5
REFUSALS: dict[str, tuple[int, str, str]] = {
    "unauthorized": (401, "invalid_api_key", "Invalid API key"),
    "rate_limited": (429, "too_many_concurrent_requests", "Too many concurrent requests."),
    "server_error": (500, "internal_error", "Something went wrong."),
    "too_many_contexts": (
        400,
        "max_active_conversations",
        f"Maximum simultaneous contexts per WebSocket connection exceeded ({MOST_CONTEXTS}). "
        "Please close an existing context before opening a new one.",
    ),
    "late_settings": (400, "policy_violation", "voice_settings field must only be provided in the first message."),
}


@dataclass
class _Context:
    """Texts that are spoken one after the other; `waiting` is what no flush has come for."""

    fault: Fault | None
    speed: float
    waiting: str = ""
    # What is to be said next; None ends the context.
    texts: asyncio.Queue[str | None] = field(default_factory=asyncio.Queue)
    speaking: asyncio.Task[None] | None = None


@dataclass
class ElevenLabs(VoiceVendor):
    """Speaks each text as it comes in auto mode, or what waits as it is flushed; `paths` are the URLs asked for."""

    paths: list[str] = field(default_factory=list)

    def routes(self) -> list[web.RouteDef]:
        voice = "/v1/text-to-speech/{voice}"
        return [
            web.get(f"{voice}/multi-stream-input", self._websocket),
            web.post(f"{voice}/stream/with-timestamps", self._stream),
        ]

    def is_known(self, request: web.Request) -> bool:
        return request.headers.get("xi-api-key") == self.KEY

    def refusal(self, fault: str) -> tuple[int, dict[str, Any]]:
        status, code, message = REFUSALS[fault]
        return status, {"detail": {"status": code, "message": message}}

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        fault = self.faults.next()
        body = await request.json()
        self.asked.append(body)
        self.paths.append(request.path_qs)
        await self.answerable(request, fault)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await self.faults.first()
        await response.prepare(request)
        if fault == "garbage":
            await response.write(GARBAGE.encode())
            return response
        speech = Speech(body["text"], rate_of(_rate_hz(request), fault), _speed(body), request.match_info["voice"])
        async for piece in self.faults.paced(heard(speech.pieces, fault), piece_secs=speech.piece_secs):
            await response.write(json.dumps(_timed(piece, speech.character_secs)).encode() + b"\n")
        if fault == "drop":
            self.abort(request)
        if fault == "stall_midway":
            await self.deaf(request)
        return response

    async def _websocket(self, request: web.Request) -> web.WebSocketResponse:
        self.paths.append(request.path_qs)
        socket = await self.connected(request)
        contexts: dict[str, _Context] = {}
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    continue
                body = json.loads(message.data)
                self.asked.append(body)
                if body.get("close_socket"):
                    break
                await self._take(body, contexts, socket, request)
        finally:
            for context in contexts.values():
                if context.speaking is not None:
                    context.speaking.cancel()
        await socket.close()
        return socket

    async def _take(
        self, body: dict[str, Any], contexts: dict[str, _Context], socket: web.WebSocketResponse, request: web.Request
    ) -> None:
        name = body.get("context_id")
        text = body.get("text", "")
        if name is None or (name not in contexts and not text):
            return
        if name not in contexts:
            fault = self.faults.next() if self.faults.fault != "refuse" else None
            if fault == "half_open":
                await self.deaf(request)
            if fault in REFUSALS:
                await self._end(socket, fault)
                return
            if len(contexts) == MOST_CONTEXTS:
                await self._end(socket, "too_many_contexts")
                return
            context = contexts[name] = _Context(fault, _speed(body))
            context.speaking = asyncio.create_task(self._speak(name, contexts, socket, request))
        elif "voice_settings" in body:
            await self._end(socket, "late_settings")
            return
        self._hear(body, contexts[name], is_at_once=request.query.get("auto_mode") == "true")

    def _hear(self, body: dict[str, Any], context: _Context, *, is_at_once: bool) -> None:
        context.waiting += body.get("text", "").lstrip(" ") if not context.waiting else body.get("text", "")
        is_over = body.get("close_context", False)
        if context.waiting and (is_at_once or is_over or body.get("flush")):
            context.texts.put_nowait(context.waiting)
            context.waiting = ""
        if is_over:
            context.texts.put_nowait(None)

    async def _speak(
        self, name: str, contexts: dict[str, _Context], socket: web.WebSocketResponse, request: web.Request
    ) -> None:
        context, is_first = contexts[name], True
        if context.fault == "stall":
            return
        while (text := await context.texts.get()) is not None:
            if is_first:
                await self.faults.first()
                is_first = False
            if context.fault == "garbage":
                await socket.send_str(GARBAGE)
                return
            speech = Speech(text, rate_of(_rate_hz(request), context.fault), context.speed, request.match_info["voice"])
            pieces = heard(speech.pieces, context.fault)
            async for piece in self.faults.paced(pieces, piece_secs=speech.piece_secs):
                await socket.send_json(_aligned(piece, speech.character_secs, name))
            if context.fault == "drop":
                self.abort(request)
            if context.fault in ("drop", "stall_midway"):
                return
        contexts.pop(name, None)
        await socket.send_json({"isFinal": True, "contextId": name})

    async def _end(self, socket: web.WebSocketResponse, fault: str) -> None:
        _, error, message = REFUSALS[fault]
        await socket.send_json({"message": message, "error": error, "code": 1008})
        await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=error.encode())


def _rate_hz(request: web.Request) -> int:
    return int(request.query["output_format"].removeprefix("pcm_"))


def _speed(body: dict[str, Any]) -> float:
    return (body.get("voice_settings") or {}).get("speed", 1.0)


def _aligned(piece: Piece, character_secs: float, name: str) -> dict[str, Any]:
    """A message of the websocket; its times count from its own beginning."""
    character_ms = character_secs * 1_000
    alignment = {
        "chars": list(piece.text),
        "charStartTimesMs": [round(index * character_ms) for index in range(len(piece.text))],
        "charDurationsMs": [round(character_ms)] * len(piece.text),
    }
    audio = base64.b64encode(piece.pcm).decode()
    return {
        "audio": audio,
        "isFinal": None,
        "alignment": alignment,
        "normalizedAlignment": alignment,
        "contextId": name,
    }


def _timed(piece: Piece, character_secs: float) -> dict[str, Any]:
    """A line of the stream; its times count from the beginning of the text."""
    places = range(piece.begin, piece.begin + len(piece.text))
    alignment = {
        "characters": list(piece.text),
        "character_start_times_seconds": [place * character_secs for place in places],
        "character_end_times_seconds": [(place + 1) * character_secs for place in places],
    }
    audio = base64.b64encode(piece.pcm).decode()
    return {"audio_base64": audio, "alignment": alignment, "normalized_alignment": alignment}
