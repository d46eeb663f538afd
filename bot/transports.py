"""How a call's sound and messages come and go."""

from collections.abc import Sequence

import aioice.ice
from aiortc import RTCPeerConnection
from aiortc.jitterbuffer import JitterBuffer
from pipecat.transports.base_transport import TransportParams
from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection
from pipecat.transports.smallwebrtc.transport import SmallWebRTCTransport

# Pipecat's limit for connecting comes this much after ours: it cancels itself midway and leaves the peer half closed.
LATER_SECS = 15


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


def release_at_once(peer: RTCPeerConnection) -> None:
    """Lets received packets through as they come: 60 ms earlier than aiortc's four frames of head start.

    aiortc has no setting for it. Who does not play what it hears loses nothing by it; packets that come out of order
    are still put in order.
    """
    for transceiver in peer.getTransceivers():
        if transceiver.kind == "audio":
            vars(transceiver.receiver)["_RTCRtpReceiver__jitter_buffer"] = JitterBuffer(capacity=16, prefetch=1)


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
