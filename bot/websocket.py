"""A program's websocket: sound and messages on one connection, made anew when the program lost it and comes back."""

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from aiohttp import ClientError, WSMsgType, web
from fastapi import WebSocket
from pipecat.audio.utils import create_stream_resampler
from pipecat.frames.frames import InputAudioRawFrame
from pipecat.processors.frameworks.rtvi.models import PROTOCOL_VERSION
from pipecat.transports.base_transport import BaseTransport
from pipecat.transports.websocket.fastapi import (
    FastAPIWebsocketCallbacks,
    FastAPIWebsocketClient,
    FastAPIWebsocketInputTransport,
    FastAPIWebsocketOutputTransport,
    FastAPIWebsocketParams,
)
from starlette.websockets import WebSocketState

from bot.channels import Join, WebSocketJoin
from bot.codecs import SAMPLE_BYTES, sound_codec
from bot.errors import OfferError, SessionTakenError
from bot.serializer import RESAMPLING, WireSerializer
from bot.transports import Channel
from bot.wire import Close, ready

# A caller who lost the line has this long to come back; WebRTC's is as long.
RECONNECT_SECS = 30.0
# The server is taken for gone when it has answered no ping for this long.
HEARTBEAT_SECS = 10.0
SEND_SECS = 5.0
CLOSE_SECS = 2.0
# More is not read from the socket until the pipeline has taken some.
WAITING_MESSAGES = 32
FRAME_SECS = 0.02
CLOSE_OF = {"shutdown": Close.SHUTDOWN, "error": Close.ERROR}


class CallerSocket:
    """The caller's websocket as Pipecat takes one, whichever connection it is on and while there is none.

    `hello` is the first message on each connection, where there is one. `joined` is called for each connection, once it
    can be spoken to. A caller who lost it has `return_secs` to come back.
    """

    client_state = application_state = WebSocketState.CONNECTED

    def __init__(
        self,
        *,
        hello: Mapping[str, Any] | None,
        joined: Callable[[], Awaitable[None]],
        return_secs: float,
    ):
        self._hello = hello
        self._joined = joined
        self._return_secs = return_secs
        self._socket: web.WebSocketResponse | None = None
        self._messages: asyncio.Queue[bytes | str | None] = asyncio.Queue(WAITING_MESSAGES)
        self._waiting: asyncio.TimerHandle | None = None
        self._hung_up = False
        self._heard_at: float | None = None
        self.lost_at: float | None = None
        """When the caller was last heard of before the connection in use was made, as `time.time()`."""

    @property
    def connected(self) -> bool:
        """Whether somebody is there."""
        return self._socket is not None

    async def serve(self, socket: web.WebSocketResponse) -> None:
        """Takes the caller's messages from this connection until it is over; one that was in use is closed."""
        self._stop_waiting()
        before, self._socket = self._socket, None
        if before is not None:
            await _close(before, Close.REPLACED, "replaced")
        self.lost_at = self._heard_at
        if self._hello is not None:
            await _send(socket, json.dumps(self._hello))
        self._socket = socket
        await self._joined()
        async for message in socket:
            if message.type in (WSMsgType.BINARY, WSMsgType.TEXT):
                self._heard_at = time.time()
                await self._messages.put(message.data)
        if self._socket is socket:
            self._socket = None
            if socket.close_code == Close.ENDED:
                self._hang_up()
            else:
                self._waiting = asyncio.get_running_loop().call_later(self._return_secs, self._hang_up)

    async def receive(self) -> dict[str, Any]:
        """The next message, as ASGI has it; a disconnect where the caller hung up or did not come back."""
        message = None if self._hung_up else await self._messages.get()
        if message is None:
            return {"type": "websocket.disconnect"}
        return {"type": "websocket.receive", "bytes" if isinstance(message, bytes) else "text": message}

    async def send_bytes(self, data: bytes) -> None:
        """Sends sound; while nobody is there it is lost, as it is on a telephone."""
        await self._send(data)

    async def send_text(self, data: str) -> None:
        """Sends a message, likewise."""
        await self._send(data)

    async def tell(self, message: Mapping[str, Any]) -> None:
        """Sends a message, likewise."""
        await self._send(json.dumps(message))

    async def let_go(self, close: Close) -> None:
        """Hangs up for the caller, or closes the connection for what they do."""
        if close is Close.ENDED:
            self._hang_up()
        elif self._socket is not None:
            await _close(self._socket, close, close.name.lower())

    async def close(self, code: Close, reason: str) -> None:
        """Ends it for good."""
        self._stop_waiting()
        socket, self._socket = self._socket, None
        if socket is not None:
            await _close(socket, code, reason)

    async def _send(self, data: bytes | str) -> None:
        if self._socket is not None and not self._socket.closed:
            await _send(self._socket, data)

    def _hang_up(self) -> None:
        self._hung_up = True
        with contextlib.suppress(asyncio.QueueFull):
            self._messages.put_nowait(None)  # for who waits for a message

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


class WebSocketTransport(BaseTransport):
    """Pipecat's websocket transport over a `CallerSocket`, which outlives each of its connections.

    Events: `on_client_connected(transport, socket)` for each connection, `on_client_disconnected(transport, socket)`
    when the caller hung up or did not come back.
    """

    def __init__(self, socket: CallerSocket, params: FastAPIWebsocketParams):
        super().__init__()
        self._socket = socket
        self._started = False
        callbacks = FastAPIWebsocketCallbacks(
            on_client_connected=self._start,
            on_client_disconnected=self._disconnected,
            on_session_timeout=self._disconnected,
        )
        client = _Client(cast(WebSocket, socket), callbacks)
        self._input = _Input(self, client, params, name=self._input_name)
        self._output = FastAPIWebsocketOutputTransport(self, client, params, name=self._output_name)
        self._register_event_handler("on_client_connected")
        self._register_event_handler("on_client_disconnected")

    def input(self) -> FastAPIWebsocketInputTransport:
        """The caller's sound and messages."""
        return self._input

    def output(self) -> FastAPIWebsocketOutputTransport:
        """The bot's sound, in real time, and its messages."""
        return self._output

    async def joined(self) -> None:
        """A connection was made; told once the pipeline runs."""
        if self._started:
            await self._call_event_handler("on_client_connected", self._socket)

    async def _start(self, _socket: WebSocket) -> None:
        self._started = True
        if self._socket.connected:
            await self.joined()

    async def _disconnected(self, _socket: WebSocket) -> None:
        await self._call_event_handler("on_client_disconnected", self._socket)


class WebSocketChannel(Channel):
    """Joins one caller's websockets to the call, one after another."""

    def __init__(self) -> None:
        self._join: WebSocketJoin | None = None
        self._pc_id = f"ws-{uuid.uuid4().hex}"
        self._socket: CallerSocket | None = None
        self._transport: WebSocketTransport | None = None

    @property
    def lost_at(self) -> float | None:
        """When the caller was last heard of before the connection in use was made, as `time.time()`."""
        return None if self._socket is None else self._socket.lost_at

    async def answer(self, join: Join) -> dict[str, str]:
        """`{pc_id}`: what the websocket that comes next names.

        Raises `SessionTakenError` for somebody else and `OfferError` for who comes back with another sound.
        """
        if not isinstance(join, WebSocketJoin):
            raise OfferError("This call is joined by a websocket.")
        if self._join is None:
            self._join = join
            self._prepare(join)
        elif not join.anew:
            raise SessionTakenError("This call was answered elsewhere. Start a new call.")
        elif (join.codec, join.sample_rate) != (self._join.codec, self._join.sample_rate):
            raise OfferError(
                f"This call began with codec={self._join.codec} and sample_rate={self._join.sample_rate:d}. "
                "Come back with the same."
            )
        return {"pc_id": self._pc_id}

    def transport(self) -> WebSocketTransport:
        """Audio both ways and messages, for the pipeline; after the first answer."""
        assert self._transport is not None
        return self._transport

    async def attach(self, pc_id: str, request: web.Request) -> web.StreamResponse:
        """Serves the caller's websocket to its end; raises `OfferError` where nobody was answered so."""
        if self._socket is None or pc_id != self._pc_id:
            raise OfferError("There is no such connection.")
        response = web.WebSocketResponse(heartbeat=HEARTBEAT_SECS, timeout=CLOSE_SECS, compress=False, max_msg_size=0)
        await response.prepare(request)
        await self._socket.serve(response)
        return response

    async def close(self, reason: str) -> None:
        """Tells the caller why the call ended, and lets them go."""
        if self._socket is not None:
            await self._socket.close(CLOSE_OF.get(reason, Close.ENDED), reason)

    def _prepare(self, join: WebSocketJoin) -> None:
        hello = ready(version=PROTOCOL_VERSION, pc_id=self._pc_id, codec=join.codec, sample_rate=join.sample_rate)
        self._socket = socket = CallerSocket(
            hello=hello, joined=lambda: self.transport().joined(), return_secs=RECONNECT_SECS
        )
        codec = sound_codec(join.codec, join.sample_rate)
        params = FastAPIWebsocketParams(
            serializer=WireSerializer(codec=codec, tell=socket.tell, let_go=socket.let_go),
            audio_in_enabled=True,
            audio_out_enabled=True,
            audio_out_sample_rate=int(join.sample_rate),
            audio_out_10ms_chunks=round(FRAME_SECS * 100),
            audio_out_end_silence_secs=0,
            allowed_origins=[],
        )
        self._transport = WebSocketTransport(socket, params)


class _Client(FastAPIWebsocketClient):
    async def disconnect(self) -> None:
        """The channel closes the websocket, once the pipeline has said its last word."""


class _Input(FastAPIWebsocketInputTransport):
    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._resampler = create_stream_resampler(quality=RESAMPLING)

    async def push_audio_frame(self, frame: InputAudioRawFrame) -> None:
        """Passes sound on as the pipeline hears, in pieces of 20 ms: the VAD sees one change of voice a piece."""
        audio = await self._resampler.resample(frame.audio, frame.sample_rate, self.sample_rate)
        size = round(FRAME_SECS * self.sample_rate) * SAMPLE_BYTES
        for start in range(0, len(audio), size):
            piece = audio[start : start + size]
            await super().push_audio_frame(
                InputAudioRawFrame(audio=piece, sample_rate=self.sample_rate, num_channels=frame.num_channels)
            )


async def _send(socket: web.WebSocketResponse, data: bytes | str) -> None:
    """Sends; a connection that does not take it in time is broken."""
    try:
        async with asyncio.timeout(SEND_SECS):
            await (socket.send_bytes(data) if isinstance(data, bytes) else socket.send_str(data))
    except TimeoutError:
        await _close(socket, Close.TOO_SLOW, "too_slow")
    except (ConnectionError, ClientError):
        pass  # whoever reads from it will find out


async def _close(socket: web.WebSocketResponse, code: Close, reason: str) -> None:
    try:
        async with asyncio.timeout(CLOSE_SECS):
            await socket.close(code=code, message=reason.encode())
    except (TimeoutError, ConnectionError, ClientError):
        pass
