"""What of this host a caller is offered, and how soon its packets are heard."""

import aioice.ice
import pytest
from aiortc import RTCPeerConnection
from aiortc.jitterbuffer import JitterBuffer
from aiortc.rtp import RtpPacket

from bot.transports import PromptBuffer, offer_only, release_at_once, webrtc_connection


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
    assert isinstance(buffer, PromptBuffer)


def released(*numbers: int) -> list[list[int]]:
    """The packets that come out as each of these comes in."""
    buffer, found = PromptBuffer(), []
    for number in numbers:
        packet = RtpPacket(sequence_number=number % 65_536, timestamp=number * 960)
        vars(packet)["_data"] = number.to_bytes(4, "big")
        _, frame = buffer.add(packet)
        found.append([int.from_bytes(frame.data, "big")] if frame else [])
    return found


@pytest.mark.parametrize("first", [0, 65_534])
def test_each_packet_comes_out_as_it_comes_in(first: int):
    numbers = range(first, first + 5)
    assert released(*numbers) == [[number] for number in numbers]


def test_packets_that_changed_places_are_put_in_order():
    assert released(1, 3, 2, 4, 5) == [[1], [], [2], [3], [4]]


def test_a_lost_packet_is_waited_for_until_the_second_behind_it():
    assert released(1, 3, 4, 5, 6) == [[1], [], [3], [4], [5]]


def test_losses_do_not_add_up():
    assert released(1, 3, 4, 6, 7, 9, 10, 11) == [[1], [], [3], [4], [6], [7], [9], [10]]


def test_a_packet_that_comes_too_late_is_dropped():
    assert released(1, 3, 4, 2, 5) == [[1], [], [3], [], [4]]


async def test_aiortc_still_keeps_its_buffer_where_it_is_replaced():
    peer = RTCPeerConnection()
    receiver = peer.addTransceiver("audio").receiver
    await peer.close()
    assert isinstance(vars(receiver)["_RTCRtpReceiver__jitter_buffer"], JitterBuffer)
