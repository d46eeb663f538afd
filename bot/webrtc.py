"""A caller's WebRTC connection: made by the first offer, and made anew when the caller lost the line and comes back."""

import asyncio
import contextlib
from collections.abc import Sequence

from aiortc.sdp import SessionDescription, candidate_from_sdp
from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection
from pipecat.transports.smallwebrtc.transport import SmallWebRTCTransport

from bot.channels import Join, Signals, WebRtcOffer
from bot.errors import OfferError, SessionTakenError
from bot.transports import Channel, release_at_once, webrtc_connection, webrtc_transport

CLOSE_SECS = 3.0


class WebRtcChannel(Channel):
    """Answers the offers of one caller."""

    def __init__(self, *, ice_servers: Sequence[str], media_addresses: Sequence[str], connect_secs: float):
        self._ice_servers = ice_servers
        self._media_addresses = media_addresses
        self._connect_secs = connect_secs
        self._connection: SmallWebRTCConnection | None = None
        self._answering = asyncio.Lock()
        self._lost_at: float | None = None

    @property
    def lost_at(self) -> float | None:
        """When the caller was last heard of before the connection in use was made, as `time.time()`."""
        return self._lost_at

    async def answer(self, join: Join) -> dict[str, str]:
        """The answer: `{sdp, type, pc_id}`.

        Raises `SessionTakenError` for an offer of somebody else and `OfferError` for one that can't be answered; the
        connection in use stays as it is then.
        """
        if not isinstance(join, WebRtcOffer):
            raise OfferError("This call is joined by a WebRTC offer.")
        async with self._answering:
            _check(join.sdp)
            if self._connection is None:
                return await self._first_answer(join)
            if join.anew:
                return await self._renegotiated(self._connection, join, anew=True)
            if join.pc_id == self._connection.pc_id:
                return await self._renegotiated(self._connection, join, anew=False)
            raise SessionTakenError("This call was answered elsewhere. Start a new call.")

    async def signal(self, signals: Signals) -> None:
        """Takes the caller's late ICE candidates; raises `OfferError` where they belong to no connection."""
        if self._connection is None or signals.pc_id != self._connection.pc_id:
            raise OfferError("These candidates belong to no connection of this call.")
        for each in signals.candidates:
            candidate = None
            if each.candidate:
                try:
                    candidate = candidate_from_sdp(each.candidate.removeprefix("candidate:"))
                except (AssertionError, ValueError, IndexError) as error:
                    raise OfferError("A candidate could not be read. Send it as the browser made it.") from error
                candidate.sdpMid, candidate.sdpMLineIndex = each.sdp_mid, each.sdp_mline_index
            await self._connection.add_ice_candidate(candidate)

    def transport(self) -> SmallWebRTCTransport:
        """Audio both ways and messages, for the pipeline; after the first answer."""
        assert self._connection is not None
        return webrtc_transport(self._connection)

    async def close(self, reason: str) -> None:
        """Tells the caller's end that this one leaves, and lets the connection go."""
        if self._connection is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._connection.disconnect(), CLOSE_SECS)

    async def _first_answer(self, offer: WebRtcOffer) -> dict[str, str]:
        connection = webrtc_connection(
            ice_servers=self._ice_servers, media_addresses=self._media_addresses, connect_secs=self._connect_secs
        )
        try:
            await connection.initialize(sdp=offer.sdp, type=offer.type)
            answer = self._answer_of(connection)
        except Exception as error:
            await connection.disconnect()
            raise _unreadable() from error
        self._connection = connection
        return answer

    async def _renegotiated(
        self, connection: SmallWebRTCConnection, offer: WebRtcOffer, *, anew: bool
    ) -> dict[str, str]:
        if anew:
            self._lost_at = vars(connection)["_last_received_time"]
        try:
            await connection.renegotiate(sdp=offer.sdp, type=offer.type, restart_pc=anew)
            return self._answer_of(connection)
        except Exception as error:
            raise _unreadable() from error

    def _answer_of(self, connection: SmallWebRTCConnection) -> dict[str, str]:
        release_at_once(connection.pc)
        answer = connection.get_answer()
        if answer is None:
            raise OfferError("The offer could not be answered.")
        return answer


def _check(sdp: str) -> None:
    """Refuses what no connection could be made of, before one is touched."""
    if "m=audio" not in sdp:
        raise OfferError("The offer is not a WebRTC session description with audio.")
    try:
        audio = [media for media in SessionDescription.parse(sdp).media if media.kind == "audio"]
    except Exception as error:  # aiortc's parser raises what it happens to meet
        raise _unreadable() from error
    if not audio or audio[0].dtls is None or audio[0].ice is None or not audio[0].ice.usernameFragment:
        raise _unreadable()


def _unreadable() -> OfferError:
    return OfferError("The offer could not be read. Send the SDP as the browser made it.")
