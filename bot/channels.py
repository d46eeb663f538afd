"""How a caller is joined to a bot: what `POST /connect` of the control socket takes, one tagged class a channel."""

from typing import Annotated, Literal

from pydantic import Field

from bot.settings import Frozen
from bot.wire import Codec, SampleRate


class WebRtcOffer(Frozen):
    """A WebRTC offer: the first one of a call, one that renegotiates, or one of a caller who comes back."""

    channel: Literal["webrtc"] = "webrtc"
    sdp: str
    type: Literal["offer"] = "offer"
    pc_id: str | None = Field(default=None, description="the connection to renegotiate, as its answer named it")
    anew: bool = Field(
        default=False, description="whether this is a new connection of the caller who was joined before"
    )


class WebSocketJoin(Frozen):
    """A program that will send and hear its sound over a websocket (`bot/wire.py`), for the first time or again."""

    channel: Literal["websocket"] = "websocket"
    codec: Codec = "pcm"
    sample_rate: SampleRate = SampleRate.WIDEBAND
    anew: bool = Field(
        default=False, description="whether this is a new connection of the caller who was joined before"
    )


class EvalJoin(Frozen):
    """Pipecat's eval harness, which says what it wants of the bot on its websocket (`bot/evaluation.py`)."""

    channel: Literal["eval"] = "eval"


Join = Annotated[WebRtcOffer | WebSocketJoin | EvalJoin, Field(discriminator="channel")]


class WebRtcCandidate(Frozen):
    """A late ICE candidate; an empty one ends them."""

    candidate: str
    sdp_mid: str | None = None
    sdp_mline_index: int | None = None


class WebRtcCandidates(Frozen):
    """Late ICE candidates of the caller."""

    channel: Literal["webrtc"] = "webrtc"
    pc_id: str
    candidates: tuple[WebRtcCandidate, ...]


Signals = WebRtcCandidates
