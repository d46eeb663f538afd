"""Which channel answers a caller."""

from collections.abc import Callable, Mapping

from bot.channels import EvalJoin, Join, WebRtcOffer, WebSocketJoin
from bot.settings import BotSettings
from bot.transports import Channel
from bot.webrtc import WebRtcChannel
from bot.websocket import WebSocketChannel


def _webrtc(settings: BotSettings) -> Channel:
    return WebRtcChannel(
        ice_servers=settings.ice_servers,
        media_addresses=settings.media_addresses,
        connect_secs=settings.limits.connect_secs,
    )


def _eval(_settings: BotSettings) -> Channel:
    # A bot that is not tested loads none of Pipecat's evals.
    from bot.evaluation import EvalChannel

    return EvalChannel()


_CHANNELS: Mapping[type[Join], Callable[[BotSettings], Channel]] = {
    WebRtcOffer: _webrtc,
    WebSocketJoin: lambda _settings: WebSocketChannel(),
    EvalJoin: _eval,
}


def channel_for(join: Join, settings: BotSettings) -> Channel:
    """The channel of a call, by the first caller who is joined to it."""
    return _CHANNELS[type(join)](settings)
