"""A server on loopback that hears and speaks over a WebSocket as Azure's speech service does, and fails when told to.

A message is lines of headers, an empty line and a body; a binary one begins with the length of its headers, two bytes.
What the client sends decides what it is for: `audio` is heard, `ssml` is spoken.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from threading import Thread
from typing import Any

import numpy as np
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from tests.vendors.faults import Fault, Faults

KEY = "azure-test"
TICKS_A_SEC = 10_000_000
BYTES_PER_SAMPLE = 2
WAV_HEADER_BYTES = 44
LOUDEST_SILENCE = 200
PIECE_SECS = 0.1
ARRIVED_SECS = 0.05
TONE_HZ = 220
SERVICE_TAG, STREAM = "5f3c0b1d", "1A2B3C4D"
TAGS = re.compile(r"<[^>]*>")
TOKENS = re.compile(r"[\w’']+|[^\w\s]+")
RAW = re.compile(r"raw-(\d+)khz-16bit-mono-pcm")
REFUSALS: dict[Fault, tuple[int, str]] = {
    "unauthorized": (401, "Access denied due to invalid subscription key or wrong API endpoint."),
    "rate_limited": (429, "Requests to this resource have exceeded the rate limit."),
    "server_error": (500, "Internal server error"),
}


@dataclass
class AzureSpeech:
    """How it hears and speaks; `asked` are the messages that came, audio apart, each with its path and body.

    `transcripts` are what the next utterances are heard as; where none is left nobody understands them. An utterance
    ends with `segment_secs` of silence, unless the client says otherwise. Spoken words take `word_secs` each. `paths`
    are those that clients connected to, `heard_hz` is the rate that the audio came with. `wrong_rate` is a fault of
    speaking only.
    """

    transcripts: list[str] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    segment_secs: float = 0.5
    word_secs: float = 0.25
    asked: list[tuple[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    heard_hz: int = 0
    heard_secs: float = 0.0
    _open: list[web.Request] = field(default_factory=list, init=False, repr=False)
    _loop: asyncio.AbstractEventLoop = field(init=False, repr=False)
    _ending: asyncio.Event = field(default_factory=asyncio.Event, init=False, repr=False)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Yield the endpoint that a client is given; the client adds the path.

        It serves in a thread of its own: the SDK holds the event loop up as its objects are let go, until the service
        has answered.
        """
        url, loop = Future[str](), asyncio.get_running_loop()
        thread = Thread(target=lambda: asyncio.run(self._serve_until_told(url)), name="azure-speech")
        thread.start()
        try:
            yield await asyncio.wrap_future(url, loop=loop)
        finally:
            self._loop.call_soon_threadsafe(self._ending.set)
            await asyncio.to_thread(thread.join)

    async def _serve_until_told(self, url: Future[str]) -> None:
        self._loop = asyncio.get_running_loop()
        app = web.Application()
        app.add_routes([web.get("/{path:.*}", self._connect)])
        async with TestServer(app, host="127.0.0.1") as server:
            url.set_result(str(server.make_url("")).rstrip("/").replace("http", "ws", 1))
            await self._ending.wait()
            for request in list(self._open):
                _abort(request)

    def bodies(self, path: str) -> list[Any]:
        """What came with this path."""
        return [body for came, body in self.asked if came == path]

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        self.paths.append(request.path)
        fault = self.faults.next()
        if fault == "refuse":
            _abort(request)
            return web.Response()
        if request.headers.get("Ocp-Apim-Subscription-Key") != KEY:
            fault = "unauthorized"
        if fault in REFUSALS:
            return self._refusal(fault)
        socket = web.WebSocketResponse(protocols=("USP",), max_msg_size=0)
        await socket.prepare(request)
        self._open.append(request)
        try:
            if fault == "half_open":
                await self._ending.wait()
            else:
                await self._serve(_Line(socket, request), fault)
        except ConnectionError:
            # The client has gone, or the connection was to be aborted.
            pass
        finally:
            self._open.remove(request)
        return socket

    def _refusal(self, fault: Fault) -> web.Response:
        status, message = REFUSALS[fault]
        body = {"error": {"code": str(status), "message": message}}
        headers = {"Retry-After": self.faults.retry_after} if fault == "rate_limited" else None
        return web.json_response(body, status=status, headers=headers)

    async def _serve(self, line: "_Line", fault: Fault | None) -> None:
        turn, rate_hz, is_first = _Turn(), 24_000, True
        async for path, headers, body in line.messages():
            if path == "audio":
                await self._hear(line, turn, headers, body, fault)
                continue
            self.asked.append((path, body))
            if path == "speech.context":
                turn = _Turn(request=headers["x-requestid"], segment_secs=_segment_secs(body) or self.segment_secs)
            elif path == "synthesis.context":
                rate_hz = _rate_hz(body["synthesis"]["audio"]["outputFormat"])
            elif path == "ssml":
                await self._speak(
                    line, headers["x-requestid"], body, rate_hz, fault if is_first else self.faults.next()
                )
                is_first = False

    async def _hear(
        self, line: "_Line", turn: "_Turn", headers: dict[str, str], body: bytes, fault: Fault | None
    ) -> None:
        if fault == "stall":
            return
        if "content-type" in headers:
            self.heard_hz = int.from_bytes(body[24:28], "little")
            body = body[WAV_HEADER_BYTES:]
        elif not body:
            await self._end(line, turn, fault)
            return
        if not turn.has_begun:
            turn.has_begun = True
            await line.say(turn.request, "turn.start", {"context": {"serviceTag": SERVICE_TAG}})
        secs = len(body) / BYTES_PER_SAMPLE / self.heard_hz
        turn.secs += secs
        self.heard_secs += secs
        if secs and np.abs(np.frombuffer(body, dtype=np.int16).astype(np.int32)).max() > LOUDEST_SILENCE:
            turn.silence_secs = 0.0
            if turn.speech_at is None:
                turn.speech_at = turn.secs - secs
                await self._begin(line, turn, fault)
        elif turn.speech_at is not None:
            turn.silence_secs += secs
            if turn.silence_secs >= turn.segment_secs:
                await self._phrase(line, turn, fault)

    async def _begin(self, line: "_Line", turn: "_Turn", fault: Fault | None) -> None:
        at = turn.ticks()
        await line.say(turn.request, "speech.startDetected", {"Offset": at["Offset"]})
        words = self.transcripts[0].lower().split() if self.transcripts and fault != "empty" else []
        if words:
            text = " ".join(words[: len(words) // 2 + 1]).rstrip(".,?!")
            await line.say(turn.request, "speech.hypothesis", {"Id": turn.request, "Text": text, **at})

    async def _phrase(self, line: "_Line", turn: "_Turn", fault: Fault | None) -> None:
        """The transcript of the utterance that has just ended."""
        at, turn.speech_at, turn.silence_secs = turn.ticks(), None, 0.0
        if fault == "stall_midway":
            return
        if fault == "drop":
            line.abort()
        await self.faults.first()
        if fault == "garbage":
            await line.garbage()
            return
        text = self.transcripts.pop(0) if self.transcripts else None
        status = "NoMatch" if text is None else "Success"
        phrase = {"RecognitionStatus": status, "DisplayText": "" if fault == "empty" or text is None else text}
        await line.say(turn.request, "speech.phrase", {"Id": turn.request, **phrase, **at})

    async def _end(self, line: "_Line", turn: "_Turn", fault: Fault | None) -> None:
        """No more audio comes in this turn."""
        if fault == "stall_midway":
            return
        if turn.speech_at is not None:
            await self._phrase(line, turn, fault)
        at = turn.ticks()
        await line.say(turn.request, "speech.endDetected", {"Offset": at["Offset"]})
        await line.say(turn.request, "speech.phrase", {"Id": turn.request, "RecognitionStatus": "EndOfDictation", **at})
        await line.say(turn.request, "turn.end", {})

    async def _speak(self, line: "_Line", request: str, ssml: str, rate_hz: int, fault: Fault | None) -> None:
        if fault == "half_open":
            await self._ending.wait()
        if fault == "stall":
            return
        if fault == "refuse" or fault in REFUSALS:
            # What would not be taken is not served on a connection from before either.
            line.abort()
        await self.faults.first()
        if fault == "garbage":
            await line.garbage()
            return
        context = {"context": {"serviceTag": SERVICE_TAG}}
        await line.say(request, "turn.start", context)
        await line.say(request, "response", {**context, "audio": {"type": "inline", "streamId": STREAM}})
        tokens = [] if fault == "empty" else TOKENS.findall(unescape(TAGS.sub(" ", ssml)))
        words = _timed(tokens, self.word_secs)
        count = round(sum(duration_secs for _, _, duration_secs in words) / PIECE_SECS)
        async for number in self.faults.paced(range(count), piece_secs=PIECE_SECS):
            if number >= count // 2 and fault == "stall_midway":
                return
            if number >= count // 2 and fault == "drop":
                # An abort takes away what the other end has not read yet.
                await asyncio.sleep(ARRIVED_SECS)
                line.abort()
            while words and words[0][1] < (number + 1) * PIECE_SECS:
                await line.say(request, "audio.metadata", {"Metadata": [_boundary(*words.pop(0))]})
            await line.play(request, _tone(number, rate_hz // 2 if fault == "wrong_rate" else rate_hz))
        await line.play(request, b"")
        end = {"Type": "SessionEnd", "Data": {"Offset": round(count * PIECE_SECS * TICKS_A_SEC)}}
        await line.say(request, "audio.metadata", {"Metadata": [end]})
        await line.say(request, "turn.end", {})


@dataclass
class _Turn:
    """What was heard since the client began to send audio under this id."""

    request: str = ""
    segment_secs: float = 0.5
    has_begun: bool = False
    secs: float = 0.0
    speech_at: float | None = None
    silence_secs: float = 0.0

    def ticks(self) -> dict[str, int]:
        """Where the utterance is in the audio; nothing is there where none is."""
        start = self.secs if self.speech_at is None else self.speech_at
        end = self.secs - self.silence_secs
        return {"Offset": round(start * TICKS_A_SEC), "Duration": round(max(end - start, 0.0) * TICKS_A_SEC)}


@dataclass(frozen=True)
class _Line:
    """One client's connection."""

    socket: web.WebSocketResponse
    request: web.Request

    async def messages(self) -> AsyncIterator[tuple[str, dict[str, str], Any]]:
        """Each message's path, headers and body, parsed where it is JSON."""
        async for message in self.socket:
            if message.type is WSMsgType.TEXT:
                head, _, body = message.data.partition("\r\n\r\n")
            else:
                end = 2 + int.from_bytes(message.data[:2], "big")
                head, body = message.data[2:end].decode(), message.data[end:]
            lines = (line.partition(":") for line in head.split("\r\n") if line)
            headers = {name.lower(): value.strip() for name, _, value in lines}
            path = headers["path"]
            yield path, headers, json.loads(body) if isinstance(body, str) and path != "ssml" else body

    async def say(self, request: str, path: str, body: dict[str, Any]) -> None:
        """One text message."""
        head = f"X-RequestId:{request}\r\nContent-Type:application/json; charset=utf-8\r\nPath:{path}\r\n"
        await self.socket.send_str(f"{head}\r\n{json.dumps(body)}")

    async def play(self, request: str, pcm: bytes) -> None:
        """One binary message; the last of a text's is empty."""
        head = f"X-RequestId:{request}\r\nX-StreamId:{STREAM}\r\nPath:audio\r\n".encode()
        await self.socket.send_bytes(len(head).to_bytes(2, "big") + head + pcm)

    async def garbage(self) -> None:
        """A message that has no headers.

        Not a binary one whose headers are said to be longer than it is: the SDK reads on beyond it, and now and then
        that ends the process, which no test outlives.
        """
        await self.socket.send_str("<html>hello</html>")

    def abort(self) -> None:
        """Cut the connection off, with all that is on its way."""
        _abort(self.request)
        raise ConnectionAbortedError


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def _rate_hz(output_format: str) -> int:
    match = RAW.fullmatch(output_format)
    assert match, f"only raw PCM is spoken here, not {output_format}"
    return int(match[1]) * 1_000


def _segment_secs(context: dict[str, Any]) -> float | None:
    """The silence that ends an utterance, where the client names one."""
    conversation = context["phraseDetection"].get("CONVERSATION", {})
    silence_ms = conversation.get("segmentation", {}).get("segmentationSilenceTimeoutMs")
    return silence_ms / 1_000 if silence_ms else None


def _timed(tokens: list[str], word_secs: float) -> list[tuple[str, float, float]]:
    """Each word and each mark with its start and duration in seconds; marks take no time."""
    timed, at = [], 0.0
    for token in tokens:
        secs = word_secs if token[0].isalnum() else 0.0
        timed.append((token, at, secs))
        at += secs
    return timed


def _boundary(token: str, start_secs: float, duration_secs: float) -> dict[str, Any]:
    kind = "WordBoundary" if token[0].isalnum() else "PunctuationBoundary"
    data = {
        "Offset": round(start_secs * TICKS_A_SEC),
        "Duration": round(duration_secs * TICKS_A_SEC),
        "text": {"Text": token, "Length": len(token), "BoundaryType": kind},
    }
    return {"Type": "WordBoundary", "Data": data}


def _tone(number: int, rate_hz: int) -> bytes:
    """The piece of this number of an endless tone."""
    count = round(PIECE_SECS * rate_hz)
    at_secs = (np.arange(count) + number * count) / rate_hz
    return (8_000 * np.sin(2 * np.pi * TONE_HZ * at_secs)).astype(np.int16).tobytes()
