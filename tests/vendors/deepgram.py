"""What Deepgram's websockets have in common: the handshake, how they fail, and where in audio somebody speaks."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from aiohttp import WSMessage, WSMsgType, web
from aiohttp.test_utils import TestServer

from tests.vendors.faults import Fault, Faults

KEY = "dg-test"
# Faults of a connection; the others are those of one answer: of an utterance, a turn, a text.
OF_CONNECTIONS: frozenset[Fault] = frozenset({"refuse", "unauthorized", "rate_limited", "server_error", "half_open"})
GARBAGE = "\x1f not JSON"
_WINDOW_SECS = 0.02
_LOUD = 500
# A word every so many seconds of speech.
WORD_SECS = 0.3
# So long a silence and all that was said has been transcribed.
SETTLED_SECS = 0.1


class Over(Exception):
    """The connection ends here, without a word."""


@dataclass
class Sockets:
    """A server with one websocket at `path`; `connections` are the queries of those that were asked for.

    `asked` are the messages that came, without the audio. A connection on which nothing comes for `idle_secs` is closed
    as Deepgram does.
    """

    path: str = "/"
    faults: Faults = field(default_factory=Faults)
    idle_secs: float = 10.0
    connections: list[dict[str, str]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    _open: dict[web.WebSocketResponse, web.Request] = field(default_factory=dict)
    _closing: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Yield the base URL that a client is given."""
        app = web.Application()
        app.add_routes([web.get(self.path, self._take)])
        self._closing = asyncio.Event()
        async with TestServer(app, host="127.0.0.1") as server:
            try:
                yield str(server.make_url("/")).rstrip("/")
            finally:
                self._closing.set()
                self.hang_up()

    def drop(self, socket: web.WebSocketResponse) -> None:
        """Abort a connection, as a server does that dies."""
        if (transport := self._open[socket].transport) is not None:
            transport.abort()

    def hang_up(self) -> None:
        """Abort every connection."""
        for socket in self._open:
            self.drop(socket)

    def freeze(self) -> None:
        """Nothing is read any more, and so nothing answered; the connections stay open."""
        for request in self._open.values():
            if request.transport is not None:
                cast(asyncio.ReadTransport, request.transport).pause_reading()

    def fault(self) -> Fault | None:
        """The fault of the answer that begins now."""
        return None if self.faults.fault in OF_CONNECTIONS else self.faults.next()

    def objection(self, query: dict[str, str]) -> str:
        """What is wrong with the query; a subclass knows."""
        raise NotImplementedError

    async def serve(self, socket: web.WebSocketResponse, query: dict[str, str]) -> None:
        """Talk to a client that was let in, until `Over`; a subclass knows how."""
        raise NotImplementedError

    async def messages(self, socket: web.WebSocketResponse) -> AsyncIterator[bytes | dict[str, Any]]:
        """What the client sends: audio, or a message."""
        while True:
            try:
                message: WSMessage = await asyncio.wait_for(socket.receive(), self.idle_secs)
            except TimeoutError:
                await socket.close(code=1011, message=b"NET-0001")
                return
            if message.type is WSMsgType.BINARY:
                yield message.data
            elif message.type is WSMsgType.TEXT:
                self.asked.append(json.loads(message.data))
                yield self.asked[-1]
            else:
                return

    async def _take(self, request: web.Request) -> web.StreamResponse:
        fault = self.faults.next() if self.faults.fault in OF_CONNECTIONS else None
        self.connections.append(dict(request.query))
        if fault == "refuse":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if refusal := self._refusal(request, fault):
            return refusal
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._open[socket] = request
        try:
            if fault == "half_open":
                await self._closing.wait()
            else:
                await self.serve(socket, dict(request.query))
                await socket.close()
        except Over:
            self.drop(socket)
        except ConnectionResetError:
            pass
        finally:
            del self._open[socket]
        return socket

    def _refusal(self, request: web.Request, fault: Fault | None) -> web.Response | None:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if fault == "unauthorized" or scheme.lower() not in ("token", "bearer") or key != KEY:
            return _refused(401, "INVALID_AUTH", "Invalid credentials.")
        if fault == "rate_limited":
            headers = {"Retry-After": self.faults.retry_after}
            return _refused(429, "TOO_MANY_REQUESTS", "Too many requests. Please try again later.", headers=headers)
        if fault == "server_error":
            return _refused(500, "INTERNAL_SERVER_ERROR", "The server encountered an error.")
        if objection := self.objection(dict(request.query)):
            return _refused(400, "Bad Request", objection)
        return None


def _refused(status: int, code: str, message: str, *, headers: dict[str, str] | None = None) -> web.Response:
    body = {"err_code": code, "err_msg": message, "request_id": str(uuid.uuid4())}
    return web.json_response(body, status=status, headers={"dg-error": message, **(headers or {})})


@dataclass
class Utterance:
    """A stretch of speech, from its first loud window to its last, and the words that stand for it."""

    words: list[str]
    fault: Fault | None
    start_secs: float
    audio: bytearray = field(default_factory=bytearray)
    quiet: bytearray = field(default_factory=bytearray)
    bytes_per_sec: int = 32_000
    told: int = 0
    settled: int = 0

    @property
    def quiet_secs(self) -> float:
        """How long it has been silent."""
        return len(self.quiet) / self.bytes_per_sec

    @property
    def spoken(self) -> int:
        """How many of its words have been said."""
        if self.quiet_secs >= SETTLED_SECS:
            return len(self.words)
        return min(len(self.words), int(len(self.audio) / self.bytes_per_sec / WORD_SECS) + 1)

    def times(self, index: int) -> tuple[float, float]:
        """When a word begins and ends."""
        start = self.start_secs + index * WORD_SECS
        return round(start, 3), round(start + 0.9 * WORD_SECS, 3)


@dataclass
class Listener(Sockets):
    """Answers each utterance with the next of `transcripts`, a word at a time; out of them it hears `usually`.

    `utterances` are those of all connections.
    """

    transcripts: list[str] = field(default_factory=list)
    usually: str = ""
    utterances: list[Utterance] = field(default_factory=list)

    @property
    def heard(self) -> list[bytes]:
        """The audio of each utterance."""
        return [bytes(utterance.audio) for utterance in self.utterances]

    def next_words(self) -> list[str]:
        """Those of an utterance that begins."""
        return (self.transcripts.pop(0) if self.transcripts else self.usually).split()


class Hearing:
    """Finds utterances in s16le mono audio by its loudness; `gap_secs` of silence part two of them."""

    def __init__(self, listener: "Listener", *, rate_hz: int, gap_secs: float) -> None:
        self._listener = listener
        self._bytes_per_sec = 2 * rate_hz
        self._size = 2 * round(rate_hz * _WINDOW_SECS)
        self._gap_secs = gap_secs
        self._rest = b""
        self._heard = 0
        self.current: Utterance | None = None

    @property
    def at_secs(self) -> float:
        """How much audio has been heard."""
        return self._heard / self._bytes_per_sec

    def hear(self, audio: bytes) -> Iterator[Utterance | None]:
        """The utterance that goes on, after each window; None while nobody speaks."""
        audio = self._rest + audio
        whole = len(audio) // self._size * self._size
        self._rest = audio[whole:]
        for at in range(0, whole, self._size):
            window = audio[at : at + self._size]
            loud = np.abs(np.frombuffer(window, "<i2").astype(int)).max() >= _LOUD
            if loud and self.current is None:
                self.current = self._begun()
            if self.current is not None and loud:
                self.current.audio += self.current.quiet + window
                self.current.quiet.clear()
            elif self.current is not None:
                self.current.quiet += window
            self._heard += self._size
            yield self.current
            if self.current is not None and self.current.quiet_secs >= self._gap_secs:
                self.current = None

    def _begun(self) -> Utterance:
        fault = self._listener.fault()
        words = [] if fault == "empty" else self._listener.next_words()
        utterance = Utterance(words, fault, self.at_secs, bytes_per_sec=self._bytes_per_sec)
        self._listener.utterances.append(utterance)
        return utterance


def spoken(secs: float, *, rate_hz: int = 16_000) -> bytes:
    """Something loud, as long, in s16le; each sample tells where in it it stands."""
    count = round(secs * rate_hz)
    return (2_000 + np.arange(count) % 20_000).astype("<i2").tobytes()


def silence(secs: float, *, rate_hz: int = 16_000) -> bytes:
    """Nothing, as long."""
    return bytes(2 * round(secs * rate_hz))


def missing(query: dict[str, str], *, model: str) -> str:
    """What is wrong with how a client announces its audio, or asks for a model that is none of `model`-…."""
    if not query.get("model", "").startswith(model):
        return "Bad Request: No such model/language/tier combination found."
    if query.get("encoding") != "linear16" or not query.get("sample_rate", "").isdecimal():
        return "Bad Request: encoding and sample_rate are needed for raw audio."
    return ""
