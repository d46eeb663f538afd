"""The caller's end of the line: WebRTC media and the RTVI data channel, as Pipecat's own web client uses them."""

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, Protocol

import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame
from loguru import logger
from pipecat.processors.frameworks.rtvi.models import MESSAGE_LABEL, PROTOCOL_VERSION, AboutClientData, ClientReadyData

from bot.transports import release_at_once
from evals.caller.audio import RATE_HZ, Run, Samples
from evals.caller.errors import CallError
from evals.caller.ingress import Description
from evals.caller.loopback import has_candidates, keep_loopback_candidates, loopback_candidates
from evals.caller.microphone import Microphone
from evals.caller.mishaps import mishap
from evals.caller.recording import Playout, Recording
from evals.degraded.packets import Fate

CONNECT_TIMEOUT_SECS = 10.0
CLOSE_TIMEOUT_SECS = 5.0
# The bot takes a peer that has not sent one for 3 s as gone.
PING_INTERVAL_SECS = 1.0
MICROPHONE_INDEX = 0
# What a connection that broke looks like to the conversation.
LOST = (
    {"type": "server-message", "data": {"type": "call_ended", "reason": "lost", "text": "The connection broke."}},
    {"type": "signalling", "message": {"type": "peerLeft"}},
)

Message = Mapping[str, Any]


class Line(Protocol):
    """What a conversation needs of a line that is connected."""

    @property
    def recording(self) -> Recording:
        """Both sides so far."""
        ...

    @property
    def now_secs(self) -> float:
        """Seconds since media connected."""
        ...

    @property
    def spoken(self) -> Run | None:
        """Where the last speech lies in the recording; None while it is being spoken."""
        ...

    def say(self, samples: Samples) -> None:
        """Begin to speak 48 kHz samples."""
        ...

    async def next_message(self, timeout_secs: float) -> Message | None:
        """The bot's next message; None when none comes in time."""
        ...


class WebRtcLine:
    """One peer connection to one bot.

    The recording is the caller's: a frame spoken is placed where its sending ends it, a frame heard where its
    arrival lets it begin. So voice-to-voice lacks what a microphone and a loudspeaker would add, and contains all
    that lies between: Opus, the network, and the bot's jitter buffer. The caller keeps none, since it only records; a
    browser's adds 20 to 100 ms of its own.
    """

    def __init__(self, *, only_loopback: bool, room: Samples | None = None, lost: "WebRtcLine | None" = None) -> None:
        """`room` is what is to be heard of the caller while nothing is said.

        `lost` is the line of the same call that this one goes on with: it has its recording, clock and messages.
        """
        self.recording = Recording() if lost is None else lost.recording
        self.arrivals: list[float] = []
        """When each frame of the bot's audio came, by the monotonic clock; it sends one every 20 ms, silent or not."""
        self._only_loopback = only_loopback
        self._room = room
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._microphone = Microphone(on_frame=self._record_caller, room=room)
        self._playout = Playout()
        self._messages: asyncio.Queue[Message] = asyncio.Queue() if lost is None else lost._messages
        self._tasks: list[asyncio.Task[None]] = []
        self._connected_at_secs = None if lost is None else lost._connected_at_secs
        self._closing = False
        self._connected = asyncio.Event()
        self._failed = False
        self._channel = self._peer.createDataChannel("chat", ordered=True)
        self._channel.on("open", self._on_channel_open)
        self._channel.on("message", self._on_message)
        self._peer.on("connectionstatechange", self._on_connection_state)
        self._peer.on("track", self._on_track)
        self.pc_id: str | None = None
        """What the answer called this connection."""
        transceiver = self._peer.addTransceiver(self._microphone, direction="sendrecv")
        self._sender = transceiver.sender
        release_at_once(self._peer)
        transceiver.setCodecPreferences(
            [codec for codec in RTCRtpSender.getCapabilities("audio").codecs if codec.mimeType == "audio/opus"]
        )

    @property
    def now_secs(self) -> float:
        return time.monotonic() - self._connected_at_secs if self._connected_at_secs is not None else 0.0

    @property
    def spoken(self) -> Run | None:
        return self._microphone.spoken

    def say(self, samples: Samples, fates: Sequence[Fate] = ()) -> None:
        self._microphone.say(samples, fates)

    def send(self, message: Message) -> None:
        """Send a message on the data channel."""
        self._channel.send(json.dumps(message))

    async def next_message(self, timeout_secs: float) -> Message | None:
        try:
            return await asyncio.wait_for(self._messages.get(), timeout_secs)
        except TimeoutError:
            return None

    async def connect(
        self, exchange: Callable[[Description], Awaitable[Description]], *, replaces: str | None = None
    ) -> None:
        """Offer media, take the bot's answer from `exchange`, and wait until media is connected.

        `replaces` is the `pc_id` of the line that was lost, where the caller comes back.
        """
        with loopback_candidates() if self._only_loopback else nullcontext():
            await self._peer.setLocalDescription(await self._peer.createOffer())
        local = self._peer.localDescription
        restart = True if replaces else None
        answer = await exchange(Description(sdp=local.sdp, type=local.type, pc_id=replaces, restart_pc=restart))
        self.pc_id = answer.pc_id
        sdp = keep_loopback_candidates(answer.sdp) if self._only_loopback else answer.sdp
        if not has_candidates(sdp):
            raise CallError(
                "The server offered no address for media that this machine can reach. "
                "Let it use the loopback address, or call it by the name that others reach it under."
            )
        await self._peer.setRemoteDescription(RTCSessionDescription(sdp=sdp, type=answer.type))
        try:
            await asyncio.wait_for(self._connected.wait(), CONNECT_TIMEOUT_SECS)
        except TimeoutError:
            self._failed = True
        if self._failed:
            raise CallError(
                f"Media never connected within {CONNECT_TIMEOUT_SECS:.0f} s. Check that UDP between this machine and "
                "the server's is not blocked, and look for the session in the server's log."
            )

    def successor(self) -> "WebRtcLine":
        """A line for the caller to come back on, once this one is lost."""
        return WebRtcLine(only_loopback=self._only_loopback, room=self._room, lost=self)

    async def close(self) -> None:
        """Release the peer connection."""
        self._closing = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        try:
            await asyncio.wait_for(self._peer.close(), CLOSE_TIMEOUT_SECS)
        except TimeoutError:
            logger.warning("the peer connection did not close within {} s", CLOSE_TIMEOUT_SECS)

    def _on_connection_state(self) -> None:
        match self._peer.connectionState:
            case "connected":
                mishap(self._sender.transport, fate=lambda: self._microphone.fate, tasks=self._tasks)
                if self._connected_at_secs is None:
                    self._connected_at_secs = time.monotonic()
                self._connected.set()
            case "failed" | "closed" if not self._closing:
                self._failed = not self._connected.is_set()
                self._connected.set()
                for message in LOST:
                    self._messages.put_nowait(message)

    def _on_channel_open(self) -> None:
        self.send({"type": "signalling", "message": _track_status(MICROPHONE_INDEX, enabled=True)})
        ready = ClientReadyData(version=PROTOCOL_VERSION, about=AboutClientData(library="jarvis-caller"))
        self.send({"label": MESSAGE_LABEL, "type": "client-ready", "id": uuid.uuid4().hex, "data": ready.model_dump()})
        self._tasks.append(asyncio.create_task(self._ping()))

    def _on_message(self, message: str | bytes) -> None:
        try:
            parsed = json.loads(message)
        except ValueError:
            logger.warning("the bot sent a message that is not JSON, {} characters", len(message))
            return
        if isinstance(parsed, Mapping):
            self._messages.put_nowait(parsed)

    def _on_track(self, track: MediaStreamTrack) -> None:
        if track.kind == "audio":
            self._tasks.append(asyncio.create_task(self._listen(track)))

    async def _listen(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            if isinstance(frame, AudioFrame) and self._connected_at_secs is not None:
                self.arrivals.append(time.monotonic())
                arrival = self._position(self.arrivals[-1])
                samples = frame.to_ndarray().reshape(-1, 2).mean(axis=1).astype(np.int16)
                position = self._playout.place(arrival=arrival, timestamp=frame.pts or 0, samples=samples)
                if position is not None:
                    self.recording.write_bot(position, samples)

    async def _ping(self) -> None:
        while self._channel.readyState == "open":
            self._channel.send(f"ping: {int(time.time() * 1000)}")
            await asyncio.sleep(PING_INTERVAL_SECS)

    def _record_caller(self, sent_at_secs: float, samples: Samples) -> Run | None:
        if self._connected_at_secs is None:
            return None
        stop = self._position(sent_at_secs)
        self.recording.write_caller(stop - samples.size, samples)
        return Run(stop - samples.size, stop)

    def _position(self, at_secs: float) -> int:
        assert self._connected_at_secs is not None
        return round((at_secs - self._connected_at_secs) * RATE_HZ)


def _track_status(receiver_index: int, *, enabled: bool) -> Message:
    return {"type": "trackStatus", "receiver_index": receiver_index, "enabled": enabled}
