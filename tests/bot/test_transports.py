"""What of this host a caller is offered, and how soon its packets are heard."""

import aioice.ice
import pytest
from aiortc import RTCPeerConnection
from aiortc.jitterbuffer import JitterBuffer

from bot.transports import offer_only, release_at_once, webrtc_connection


@pytest.fixture(autouse=True)
def aioice_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aioice.ice, "get_host_addresses", aioice.ice.get_host_addresses)


@pytest.mark.parametrize(
    ("v4", "v6", "gathered"),
    [(True, False, ["127.0.0.1"]), (False, True, ["::1"]), (True, True, ["127.0.0.1", "::1"]), (False, False, [])],
)
def test_only_the_named_addresses_are_gathered(v4: bool, v6: bool, gathered: list[str]):
    offer_only(["127.0.0.1", "::1"])
    assert aioice.ice.get_host_addresses(use_ipv4=v4, use_ipv6=v6) == gathered


async def test_a_connection_with_no_named_address_gathers_as_aioice_does():
    before = aioice.ice.get_host_addresses
    await webrtc_connection(ice_servers=(), media_addresses=(), connect_secs=30).disconnect()
    assert aioice.ice.get_host_addresses is before


async def test_candidates_of_a_connection_are_the_named_addresses():
    offer_only(["127.0.0.1"])
    peer = RTCPeerConnection()
    peer.addTransceiver("audio")
    await peer.setLocalDescription(await peer.createOffer())
    addresses = [line.split()[4] for line in peer.localDescription.sdp.splitlines() if line.startswith("a=candidate")]
    await peer.close()
    assert set(addresses) == {"127.0.0.1"}


async def test_the_callers_packets_are_released_as_they_come():
    connection = webrtc_connection(ice_servers=(), media_addresses=("127.0.0.1",), connect_secs=30)
    caller = RTCPeerConnection()
    caller.addTransceiver("audio")
    await caller.setLocalDescription(await caller.createOffer())
    await connection.initialize(sdp=caller.localDescription.sdp, type="offer")
    release_at_once(connection.pc)
    (audio,) = [t for t in connection.pc.getTransceivers() if t.kind == "audio"]
    buffer = vars(audio.receiver)["_RTCRtpReceiver__jitter_buffer"]
    await connection.disconnect()
    await caller.close()
    assert isinstance(buffer, JitterBuffer)
    assert buffer._prefetch == 1


async def test_aiortc_still_keeps_its_buffer_where_it_is_replaced():
    peer = RTCPeerConnection()
    receiver = peer.addTransceiver("audio").receiver
    await peer.close()
    assert isinstance(vars(receiver)["_RTCRtpReceiver__jitter_buffer"], JitterBuffer)
