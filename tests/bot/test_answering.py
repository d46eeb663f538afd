"""Which channel answers whom."""

from pathlib import Path

import pytest

from bot.answering import channel_for
from bot.channels import EvalJoin, Join, WebRtcOffer, WebSocketJoin
from bot.evaluation import EvalChannel
from bot.settings import BotSettings, Retrieval
from bot.transports import Channel
from bot.webrtc import WebRtcChannel
from bot.websocket import WebSocketChannel

NOWHERE = Path("/nowhere")
SETTINGS = BotSettings(retrieval=Retrieval(socket=NOWHERE), speech_socket=NOWHERE)


@pytest.mark.parametrize(
    ("join", "channel"),
    [(WebRtcOffer(sdp="v=0"), WebRtcChannel), (WebSocketJoin(), WebSocketChannel), (EvalJoin(), EvalChannel)],
)
def test_a_caller_is_answered_by_the_channel_that_they_ask_for(join: Join, channel: type[Channel]):
    assert type(channel_for(join, SETTINGS)) is channel


@pytest.mark.parametrize("join", [WebRtcOffer(sdp="v=0"), WebSocketJoin()])
def test_nobody_but_the_harness_is_told_more_than_a_caller(join: Join):
    channel = channel_for(join, SETTINGS)
    assert (*channel.before_voice(), *channel.observers()) == ()
