"""How a caller asks to be joined to a call, and whether they may be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.wire import Codec, SampleRate
from server.errors import Problem
from server.ingress.schemas import Offer


@dataclass(frozen=True, slots=True)
class Joining:
    """What the bot is told of a caller, as one of `bot/channels.py`.

    `named` is the `pc_id` by which the caller says which connection of theirs it goes on from; `anew` whether that
    one was lost.
    """

    channel: str
    body: Mapping[str, Any]
    named: str | None = None
    anew: bool = False


def by_webrtc(offer: Offer) -> Joining:
    """A WebRTC offer: first, renegotiating, or of a new connection."""
    replaces = offer.pc_id if offer.restart_pc else None
    if offer.pc_id is None and offer.requestData is not None:
        replaces = offer.requestData.replaces
    body = {"sdp": offer.sdp, "type": offer.type} | ({} if replaces else {"pc_id": offer.pc_id})
    return Joining("webrtc", body, named=replaces or offer.pc_id, anew=replaces is not None)


def by_websocket(*, codec: Codec, sample_rate: SampleRate, connection: str | None) -> Joining:
    """A websocket; `connection` is the one that was lost, where one was."""
    body = {"codec": codec, "sample_rate": int(sample_rate)}
    return Joining("websocket", body, named=connection, anew=connection is not None)


def by_harness() -> Joining:
    """Pipecat's eval harness, which joins a call once."""
    return Joining("eval", {})


def request_of(joining: Joining, *, channel: str, known: Sequence[str], token_is_fresh: bool) -> dict[str, Any]:
    """The bot's `POST /connect`, once it is clear that it comes from the caller of this call; raises `Problem`.

    `channel` is the call's, `known` the connections that it had.
    """
    if joining.channel != channel:
        raise Problem(
            409,
            "This call has another channel",
            f"It was created for {channel}. Create one with the channel {joining.channel}.",
        )
    if known and joining.named not in known:
        raise Problem(409, "This call is already taken", "This call was answered elsewhere. Start a new call.")
    if not known and not token_is_fresh:
        raise Problem(410, "This call link has expired", "Links are good for a short time. Start a new call.")
    return {"channel": channel, **joining.body} | ({"anew": True} if joining.anew else {})
