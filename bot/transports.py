"""How a call's sound and messages come and go."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import aioice.ice
from aiohttp import web
from aiortc import RTCPeerConnection
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.utils import uint16_add
from pipecat.observers.base_observer import BaseObserver
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.transports.base_transport import BaseTransport, TransportParams
from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection
from pipecat.transports.smallwebrtc.transport import SmallWebRTCTransport

from bot.channels import Join, Signals
from bot.errors import OfferError

# Pipecat's limit for connecting comes this much after ours: it cancels itself midway and leaves the peer half closed.
LATER_SECS = 15
# So many packets of 20 ms behind a missing one tell that it is lost.
PATIENT_PACKETS = 2


class Channel(ABC):
    """The bot's end of one caller's line, over all connections that the caller makes."""

    @property
    @abstractmethod
    def lost_at(self) -> float | None:
        """When the caller was last heard of before the connection in use was made, as `time.time()`."""

    @abstractmethod
    async def answer(self, join: Join) -> dict[str, str]:
        """What the caller needs to be connected, `pc_id` among it: what they name when they come back.

        Raises `SessionTakenError` for somebody else and `OfferError` for who can't be joined so; the connection in use
        stays as it is then.
        """

    @abstractmethod
    def transport(self) -> BaseTransport:
        """Audio both ways and messages, for the pipeline; after the first answer."""

    @abstractmethod
    async def close(self, reason: str) -> None:
        """Lets the caller go, for that reason."""

    def before_voice(self) -> Sequence[FrameProcessor]:
        """What the channel has stand before the voice; asked once."""
        return ()

    def observers(self) -> Sequence[BaseObserver]:
        """Who hears of the pipeline's frames for the channel; asked once, after `before_voice`."""
        return ()

    def reported(self, event: Mapping[str, Any]) -> None:  # noqa: B027
        """Hears what the bot reports of the call to its server; callers are not told."""

    async def signal(self, signals: Signals) -> None:
        """Takes what the two ends tell each other after the answer; raises `OfferError`."""
        raise OfferError("This call has no connection that takes candidates.")

    async def attach(self, pc_id: str, request: web.Request) -> web.StreamResponse:
        """Serves the websocket of a caller who was answered so, to its end; raises `OfferError`."""
        raise OfferError("The sound of this call does not come by websocket.")


def webrtc_connection(
    *, ice_servers: Sequence[str], media_addresses: Sequence[str], connect_secs: float
) -> SmallWebRTCConnection:
    """A connection that awaits an offer.

    `media_addresses` are the only local addresses offered for media; empty offers every address but loopback. Whoever
    opens the connection closes it where media is not connected after `connect_secs`.
    """
    if media_addresses:
        offer_only(media_addresses)
    return SmallWebRTCConnection(
        ice_servers=list(ice_servers) or None, connection_timeout_secs=int(connect_secs) + LATER_SECS
    )


class PromptBuffer(JitterBuffer):
    """Gives each packet of sound out as it comes: each is a frame by itself, where aiortc waits for the next one.

    Packets that come out of order are still put in order. One that is missing is waited for until `PATIENT_PACKETS`
    later ones are there; aiortc would wait for 16, and stay as late ever after.
    """

    def __init__(self) -> None:
        super().__init__(capacity=16)

    def _remove_frame(self, sequence_number: int) -> JitterFrame | None:
        assert self._origin is not None
        if uint16_add(sequence_number, -self._origin) >= PATIENT_PACKETS:
            self.remove(self._missing(self._origin))
        packet = self._packets[self._origin % self.capacity]
        if packet is None:
            return None
        self.remove(1)
        return JitterFrame(data=vars(packet)["_data"], timestamp=packet.timestamp)

    def _missing(self, origin: int) -> int:
        """How many packets are not there before the first that is."""
        return next(n for n in range(self.capacity) if self._packets[(origin + n) % self.capacity] is not None)


def release_at_once(peer: RTCPeerConnection) -> None:
    """Lets received packets through as they come: 80 ms earlier than aiortc with its four frames of head start.

    aiortc has no setting for it. Who does not play what it hears loses nothing by it.
    """
    for transceiver in peer.getTransceivers():
        if transceiver.kind == "audio":
            vars(transceiver.receiver)["_RTCRtpReceiver__jitter_buffer"] = PromptBuffer()


def webrtc_transport(connection: SmallWebRTCConnection) -> SmallWebRTCTransport:
    """Audio both ways and RTVI messages on a browser's connection."""
    return SmallWebRTCTransport(
        connection,
        TransportParams(
            audio_in_enabled=True, audio_out_enabled=True, audio_out_10ms_chunks=2, audio_out_end_silence_secs=0
        ),
    )


def offer_only(addresses: Sequence[str]) -> None:
    """Makes this process' ICE gather just these addresses: aioice has no setting for it and always skips loopback."""

    def host_addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        return [a for a in addresses if (use_ipv6 if ":" in a else use_ipv4)]

    aioice.ice.get_host_addresses = host_addresses
