"""Pipecat's eval harness as a caller: what is said and heard goes as RTVI's messages over one websocket.

The harness may put words into the conversation's context, have the bot silent, and learns what was looked up, so the
server lets nobody else in (`server/ingress/eval_routes.py`).
"""

import asyncio
import contextlib
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import WSMsgType, web
from pipecat.evals.serializer import EvalConnectionFlags, EvalSerializer, parse_eval_connect
from pipecat.observers.base_observer import BaseObserver
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.processors.frameworks.rtvi.models import ServerMessage
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams
from pydantic import BaseModel

from bot.channels import EvalJoin, Join
from bot.errors import OfferError, SessionTakenError
from bot.transports import Channel
from bot.websocket import CLOSE_OF, CLOSE_SECS, FRAME_SECS, HEARTBEAT_SECS, CallerSocket, WebSocketTransport
from bot.wire import Close
from bot.witness import Witness
from processors.writing import InWriting

# The harness says what it wants as soon as it is connected.
WISHES_SECS = 5.0
# A greeting begins within a second or so; one that does not is not waited for.
GREETING_SECS = 5.0


class EvalChannel(Channel):
    """Joins one harness to the call, once: the connection is the call, and ends with it."""

    def __init__(self) -> None:
        self._pc_id: str | None = None
        self._attached = False
        self._wishes = EvalConnectionFlags()
        self._told: asyncio.Queue[str] = asyncio.Queue()
        self._telling: asyncio.Task[None] | None = None
        self._serializer = EvalSerializer()
        self._socket = CallerSocket(hello=None, joined=self._joined, return_secs=0)
        self._transport = WebSocketTransport(
            self._socket,
            FastAPIWebsocketParams(
                serializer=self._serializer,
                audio_in_enabled=True,
                audio_out_enabled=True,
                audio_out_10ms_chunks=round(FRAME_SECS * 100),
                audio_out_end_silence_secs=0,
                allowed_origins=[],
            ),
        )
        self._before_voice = InWriting(silent=lambda: self._wishes.skip_tts)
        self._witness = Witness(before_voice=self._before_voice, tell=self._tell)

    @property
    def lost_at(self) -> float | None:
        """Nobody comes back."""
        return None

    async def answer(self, join: Join) -> dict[str, str]:
        """`{pc_id}`: what the websocket that comes next names; raises `SessionTakenError` for a second one."""
        if not isinstance(join, EvalJoin):
            raise OfferError("This call is joined by an eval harness.")
        if self._pc_id is not None:
            raise SessionTakenError("This call was answered elsewhere. Start a new call.")
        self._pc_id = f"eval-{uuid.uuid4().hex}"
        return {"pc_id": self._pc_id}

    def transport(self) -> WebSocketTransport:
        """Audio both ways and messages, for the pipeline."""
        return self._transport

    def before_voice(self) -> Sequence[FrameProcessor]:
        """What leaves the voice nothing to say where the harness wants it silent."""
        return (self._before_voice,)

    def observers(self) -> Sequence[BaseObserver]:
        """What tells the harness more than a caller."""
        return (self._witness,)

    def reported(self, event: Mapping[str, Any]) -> None:
        """Tells the harness what the bot reports, as `{"type": "report", "report"}`."""
        self._tell(ServerMessage(data={"type": "report", "report": event}))

    async def attach(self, pc_id: str, request: web.Request) -> web.StreamResponse:
        """Serves the harness' websocket to its end; raises `OfferError` where nobody was answered so."""
        if pc_id != self._pc_id or self._attached:
            raise OfferError("There is no such connection.")
        self._attached = True
        response = web.WebSocketResponse(heartbeat=HEARTBEAT_SECS, timeout=CLOSE_SECS, compress=False, max_msg_size=0)
        await response.prepare(request)
        wishes = await _wishes_of(response)
        if wishes is None:
            await response.close(code=Close.ABUSE, message=b"eval_connect_expected")
            return response
        self._wishes = wishes
        self._serializer.set_capture_audio(wishes.capture_bot_audio)
        self._serializer.set_capture_images(wishes.capture_bot_images)
        try:
            await self._socket.serve(response)
        finally:
            if self._telling is not None:
                self._telling.cancel()
        return response

    async def close(self, reason: str) -> None:
        """Lets the harness go, for that reason."""
        await self._socket.close(CLOSE_OF.get(reason, Close.ENDED), reason)

    async def _joined(self) -> None:
        self._telling = asyncio.create_task(self._send(), name="eval-messages")
        await self._transport.joined()
        # What the harness sends is not read before: it takes the bot for ready otherwise, and then the greeting, which
        # comes after its first words, for the answer to them.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._witness.spoke.wait(), GREETING_SECS)

    def _tell(self, message: BaseModel) -> None:
        self._told.put_nowait(message.model_dump_json())

    async def _send(self) -> None:
        while True:
            await self._socket.send_text(await self._told.get())


async def _wishes_of(socket: web.WebSocketResponse) -> EvalConnectionFlags | None:
    """What the harness' first message asks of the bot; None where that is no such message."""
    with contextlib.suppress(TimeoutError, ValueError):
        async with asyncio.timeout(WISHES_SECS):
            message = await socket.receive()
        if message.type is WSMsgType.TEXT:
            return parse_eval_connect(json.loads(message.data))
    return None
