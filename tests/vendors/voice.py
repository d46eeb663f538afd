"""What the servers in the place of vendors of voices have in common: the speech they make, and how they fail."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from aiohttp import web
from aiohttp.test_utils import TestServer

from evals.scenarios.tones import tone_of
from tests.vendors.faults import Fault, Faults

CHARACTERS_PER_SEC = 15
CHARACTERS_A_PIECE = 3
BYTES_PER_SAMPLE = 2
LOUDNESS = 12_000
GARBAGE = "<html><body>502 Bad Gateway</body></html>"
# What fails before a websocket is open; on an open one these are told in its language, and `refuse` not at all.
OF_A_HANDSHAKE: frozenset[Fault] = frozenset({"refuse", "unauthorized", "rate_limited", "server_error", "half_open"})


@dataclass(frozen=True)
class Piece:
    """The sound of a few characters; `begin` counts the characters before."""

    text: str
    begin: int
    pcm: bytes


@dataclass(frozen=True)
class Speech:
    """A text as a tone, s16le mono, as long as the text: a test knows every sample of it, and a VAD calls it sound."""

    text: str
    rate_hz: int
    speed: float = 1.0
    voice: str = ""

    @property
    def character_secs(self) -> float:
        """How long one character is spoken."""
        return self._samples / self.rate_hz

    @property
    def piece_secs(self) -> float:
        """How long a whole piece is spoken."""
        return self.character_secs * CHARACTERS_A_PIECE

    @property
    def pcm(self) -> bytes:
        """All of it; another text is another tone, and another voice is one far from that."""
        time = np.arange(self._samples * len(self.text)) / self.rate_hz
        return (np.sin(2 * np.pi * tone_of(self.voice, self.text) * time) * LOUDNESS).astype("<i2").tobytes()

    @property
    def pieces(self) -> list[Piece]:
        """It, a few characters each."""
        pcm, size = self.pcm, self._samples * BYTES_PER_SAMPLE
        ends = [
            (begin, min(begin + CHARACTERS_A_PIECE, len(self.text)))
            for begin in range(0, len(self.text), CHARACTERS_A_PIECE)
        ]
        return [Piece(self.text[begin:end], begin, pcm[begin * size : end * size]) for begin, end in ends]

    @property
    def _samples(self) -> int:
        return round(self.rate_hz / (CHARACTERS_PER_SEC * self.speed))


@dataclass
class VoiceVendor:
    """A server on loopback; `asked` are the messages and bodies that came, in their order."""

    KEY: ClassVar[str] = "test-key"

    faults: Faults = field(default_factory=Faults)
    asked: list[dict[str, Any]] = field(default_factory=list)
    connections: int = 0
    _open: set[asyncio.Transport] = field(default_factory=set, repr=False)

    def routes(self) -> list[web.RouteDef]:
        """What it answers."""
        raise NotImplementedError

    def is_known(self, request: web.Request) -> bool:
        """Whether a request comes with the key."""
        raise NotImplementedError

    def refusal(self, fault: Fault) -> tuple[int, dict[str, Any]]:
        """The status and the body of an answer to a request that fails like this."""
        raise NotImplementedError

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Yield the base URL that a client is given."""
        app = web.Application()
        app.add_routes(self.routes())
        async with TestServer(app, host="127.0.0.1") as server:
            try:
                yield str(server.make_url("")).rstrip("/")
            finally:
                self.hang_up()

    def hang_up(self) -> None:
        """Abort every connection."""
        for transport in list(self._open):
            transport.abort()

    def freeze(self) -> None:
        """Nothing is read any more, and so nothing answered; the connections stay open."""
        for transport in self._open:
            transport.pause_reading()  # pyright: ignore[reportAttributeAccessIssue]  (those of sockets can)

    async def connected(self, request: web.Request) -> web.WebSocketResponse:
        """The websocket of a handshake, unless that fails."""
        self.connections += 1
        fault = self.faults.next() if self.faults.fault in OF_A_HANDSHAKE else None
        await self.answerable(request, None if fault == "half_open" else fault)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if fault == "half_open":
            await self.deaf(request)
        return socket

    async def answerable(self, request: web.Request, fault: Fault | None) -> None:
        """Returns where a request is to be answered at all."""
        transport = _transport(request)
        self._open = {each for each in self._open if not each.is_closing()} | {transport}
        match fault:
            case "refuse":
                transport.abort()
                await asyncio.Event().wait()
            case "stall" | "half_open":
                await self.deaf(request)
            case "unauthorized" | "rate_limited" | "server_error":
                self._refuse(fault)
        if not self.is_known(request):
            self._refuse("unauthorized")

    async def deaf(self, request: web.Request) -> None:
        """Reads nothing any more; the connection stays open."""
        _transport(request).pause_reading()
        await asyncio.Event().wait()

    def abort(self, request: web.Request) -> None:
        """End the connection of a request as a crash would."""
        _transport(request).abort()

    def _refuse(self, fault: Fault) -> None:
        status, body = self.refusal(fault)
        raise _Refused(status, body, headers={"Retry-After": self.faults.retry_after} if status == 429 else {})


class _Refused(web.HTTPException):
    def __init__(self, status: int, body: dict[str, Any], *, headers: dict[str, str]) -> None:
        self.status_code = status
        super().__init__(headers=headers, text=json.dumps(body), content_type="application/json")


def _transport(request: web.Request) -> asyncio.Transport:
    assert isinstance(request.transport, asyncio.Transport)
    return request.transport


def heard(pieces: list[Piece], fault: Fault | None) -> list[Piece]:
    """The pieces that come with this fault."""
    if fault in ("stall_midway", "drop"):
        return pieces[: max(1, len(pieces) // 2)]
    return [] if fault == "empty" else pieces


def rate_of(rate_hz: int, fault: Fault | None) -> int:
    """The rate at which speech is made that was asked for at `rate_hz`."""
    return rate_hz // 2 if fault == "wrong_rate" else rate_hz
