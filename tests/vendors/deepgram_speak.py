"""A server on loopback that speaks Deepgram's `v1/speak` as it is documented: Aura, over a websocket."""

import asyncio
import uuid
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from aiohttp import web

from tests.vendors.deepgram import GARBAGE, Sockets, missing

SECS_PER_CHARACTER = 0.06
PIECE_SECS = 0.1
PITCH_HZ = 220
MOST_CHARACTERS = 2_000


@dataclass
class DeepgramSpeak(Sockets):
    """Speaks what it was sent when it is told to (Flush): a tone, `SECS_PER_CHARACTER` long for each character."""

    path: str = "/v1/speak"
    idle_secs: float = 3_600.0

    def objection(self, query: dict[str, str]) -> str:
        """What is wrong with the query."""
        if not 0.7 <= float(query.get("speed", 1)) <= 1.5:
            return "Bad Request: speed must be between 0.7 and 1.5."
        return missing(query, model="aura-")

    async def serve(self, socket: web.WebSocketResponse, query: dict[str, str]) -> None:
        """Speak to one client."""
        voice = _Voice(self, socket, query)
        await voice.introduce()
        text = ""
        async for message in self.messages(socket):
            match message:
                case {"type": "Speak", "text": str(more)}:
                    text += more
                    if len(text) > MOST_CHARACTERS:
                        await voice.warn("DATA-0001", "The text buffer is full; flush it.")
                case {"type": "Flush"}:
                    voice.speak(text)
                    text = ""
                case {"type": "Clear"}:
                    text = ""
                    await voice.clear()
                case {"type": "Close"}:
                    await voice.finish()
                    break
                case _:
                    await voice.warn("DATA-0000", "The message is none of ours.")
        voice.stop()


class _Voice:
    """What is said on one connection, in its order."""

    def __init__(self, server: DeepgramSpeak, socket: web.WebSocketResponse, query: dict[str, str]) -> None:
        self._server = server
        self._socket = socket
        self._model = query["model"]
        self._rate_hz = int(query["sample_rate"])
        self._speed = float(query.get("speed", 1))
        self._done = 0
        self._cleared = 0
        self._speaking: list[asyncio.Task[None]] = []

    async def introduce(self) -> None:
        """Say who speaks."""
        await self._socket.send_json(
            {
                "type": "Metadata",
                "request_id": str(uuid.uuid4()),
                "model_name": self._model,
                "model_version": "2026-01-01.0",
                "model_uuid": str(uuid.uuid4()),
                "additional_model_uuids": [],
            }
        )

    async def warn(self, code: str, description: str) -> None:
        """Say what was wrong; the connection stays."""
        await self._socket.send_json({"type": "Warning", "code": code, "description": description})

    def speak(self, text: str) -> None:
        """Say a text when those before it are said."""
        before = self._speaking[-1:]
        self._speaking.append(asyncio.create_task(self._after(before, text)))

    async def clear(self) -> None:
        """Say nothing of what is still to be said."""
        self.stop()
        await self._socket.send_json({"type": "Cleared", "sequence_id": self._cleared})
        self._cleared += 1

    async def finish(self) -> None:
        """Return when all is said."""
        if self._speaking:
            await asyncio.wait(self._speaking)

    def stop(self) -> None:
        """Fall silent."""
        for task in self._speaking:
            task.cancel()
        self._speaking.clear()

    async def _after(self, before: list[asyncio.Task[None]], text: str) -> None:
        if before:
            await asyncio.wait(before)
        with suppress(ConnectionResetError):
            await self._say(text)

    async def _say(self, text: str) -> None:
        fault = self._server.fault()
        pieces = [] if fault == "empty" else self._pieces(text.strip(), slow=fault == "wrong_rate")
        await self._server.faults.first()
        if fault == "stall":
            return
        if fault == "garbage":
            await self._socket.send_str(GARBAGE)
            return
        cut = fault in ("drop", "stall_midway")
        said = pieces[: len(pieces) // 2] if cut else pieces
        async for piece in self._server.faults.paced(said, piece_secs=PIECE_SECS):
            await self._socket.send_bytes(piece)
        if fault == "drop":
            self._server.drop(self._socket)
        elif not cut:
            await self._socket.send_json({"type": "Flushed", "sequence_id": self._done})
            self._done += 1

    def _pieces(self, text: str, *, slow: bool) -> list[bytes]:
        rate_hz = self._rate_hz // 2 if slow else self._rate_hz
        count = round(len(text) * SECS_PER_CHARACTER / self._speed * rate_hz)
        tone = 8_000 * np.sin(2 * np.pi * PITCH_HZ / rate_hz * np.arange(count))
        audio, size = tone.astype("<i2").tobytes(), 2 * round(rate_hz * PIECE_SECS)
        return [audio[at : at + size] for at in range(0, len(audio), size)]
