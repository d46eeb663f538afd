"""Who may be joined to a call, and what its bot is told of them."""

import pytest

from bot.channels import EvalJoin, WebSocketJoin
from bot.wire import SampleRate
from server.errors import Problem
from server.ingress.joining import Joining, by_harness, by_webrtc, by_websocket, request_of
from server.ingress.schemas import Offer, RequestData

FIRST = by_websocket(codec="opus", sample_rate=SampleRate.FULLBAND, connection=None)
AGAIN = by_websocket(codec="opus", sample_rate=SampleRate.FULLBAND, connection="ws-1")


@pytest.mark.parametrize(
    ("offer", "named", "anew"),
    [
        (Offer(sdp="v=0"), None, False),
        (Offer(sdp="v=0", pc_id="pc-1"), "pc-1", False),
        (Offer(sdp="v=0", pc_id="pc-1", restart_pc=True), "pc-1", True),
        (Offer(sdp="v=0", requestData=RequestData(replaces="pc-1")), "pc-1", True),
    ],
)
def test_an_offer_names_the_connection_that_it_goes_on_from(offer: Offer, named: str | None, anew: bool):
    joining = by_webrtc(offer)
    assert (joining.named, joining.anew) == (named, anew)


@pytest.mark.parametrize(("joining", "known", "anew"), [(FIRST, [], False), (AGAIN, ["ws-0", "ws-1"], True)])
def test_a_bot_understands_what_it_is_told_of_a_websocket(joining: Joining, known: list[str], anew: bool):
    body = request_of(joining, channel="websocket", known=known, token_is_fresh=not known)
    assert WebSocketJoin.model_validate(body) == WebSocketJoin(codec="opus", sample_rate=SampleRate.FULLBAND, anew=anew)


def test_a_bot_understands_what_it_is_told_of_a_harness():
    body = request_of(by_harness(), channel="eval", known=[], token_is_fresh=True)
    assert EvalJoin.model_validate(body) == EvalJoin()


@pytest.mark.parametrize(
    ("joining", "channel", "known", "fresh", "status"),
    [
        (by_harness(), "webrtc", [], True, 409),
        (by_harness(), "eval", ["eval-1"], True, 409),
        (FIRST, "eval", [], True, 409),
        (FIRST, "webrtc", [], True, 409),
        (by_webrtc(Offer(sdp="v=0")), "websocket", [], True, 409),
        (FIRST, "websocket", ["ws-1"], True, 409),
        (AGAIN, "websocket", ["ws-2"], True, 409),
        (FIRST, "websocket", [], False, 410),
        (AGAIN, "websocket", [], False, 410),
    ],
    ids=[
        "no harness' call", "a harness is on it", "a harness' call", "a page's call", "a program's call",
        "somebody is on it", "another connection", "too old", "never on it",
    ],
)  # fmt: skip
def test_others_are_refused(joining: Joining, channel: str, known: list[str], fresh: bool, status: int):
    with pytest.raises(Problem) as problem:
        request_of(joining, channel=channel, known=known, token_is_fresh=fresh)
    assert problem.value.status == status
