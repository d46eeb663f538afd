"""A caller's connection and its bot: who gets an answer, and how the call ends."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp.test_utils import make_mocked_request
from aiortc import RTCPeerConnection, RTCSessionDescription
from pipecat.frames.frames import TTSSpeakFrame
from pipecat.utils.errors import ErrorCategory

from bot.change import Change, ChosenVoice
from bot.channels import WebRtcCandidate, WebRtcCandidates, WebRtcOffer, WebSocketJoin
from bot.errors import ChangeError, OfferError, SessionTakenError
from bot.phrases import Opening
from bot.pipeline import CallPipeline
from bot.session import Session, place_of
from bot.settings import BotSettings, Limits, Retrieval
from bot.story import Story
from bot.turns import TurnModels
from bot.wording.table import wording
from tests.processors.failover.scripted_llm import ScriptedLLM, Staging

ENGLISH = wording("en")

END_SECS = 10.0


@pytest.fixture(scope="module")
def models() -> TurnModels:
    return TurnModels.load()


class Call:
    """A session and what it reported."""

    def __init__(
        self, models: TurnModels, *, connect_secs: float = 30, keep_gaps: bool = True, chosen: Change | None = None
    ):
        self.events: list[dict[str, Any]] = []
        nowhere = Path("/nowhere")
        settings = BotSettings(
            limits=Limits(connect_secs=connect_secs),
            chosen=chosen or Change(),
            retrieval=Retrieval(socket=nowhere, keep_gaps=keep_gaps),
            speech_socket=nowhere,
            media_addresses=("127.0.0.1",),
        )
        self.session = Session(session_id="6f1c", settings=settings, models=models, report=self.events.append)

    async def answer(self, sdp: str, *, pc_id: str | None = None, anew: bool = False) -> dict[str, str]:
        return await self.session.connect(WebRtcOffer(sdp=sdp, pc_id=pc_id, anew=anew))

    async def speaks(self, voice: str, *, words_per_minute: int) -> None:
        """Returns when its voice is this one."""
        async with asyncio.timeout(END_SECS):
            while not (services := self.session._services):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            while (services.tts.settings.voice, services.tts.settings.words_per_minute) != (voice, words_per_minute):  # pyright: ignore[reportAttributeAccessIssue]  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def ended(self) -> str:
        await asyncio.wait_for(self.session.ended.wait(), END_SECS)
        return self.events[-1]["reason"]


@asynccontextmanager
async def caller() -> AsyncIterator[tuple[RTCPeerConnection, str]]:
    """A peer and its offer."""
    peer = RTCPeerConnection()
    peer.addTransceiver("audio")
    await peer.setLocalDescription(await peer.createOffer())
    try:
        yield peer, peer.localDescription.sdp
    finally:
        await peer.close()


async def test_an_offer_without_audio_is_refused(models: TurnModels):
    with pytest.raises(OfferError, match="audio"):
        await Call(models).answer("v=0\r\ns=-\r\nt=0 0\r\n")


async def test_an_offer_that_cannot_be_read_leaves_the_call_to_the_next(models: TurnModels):
    call = Call(models)
    with pytest.raises(OfferError, match="could not be read"):
        await call.answer("m=audio and nothing else")
    with pytest.raises(OfferError, match="could not be read"):
        await call.answer("m=audio and nothing else")


async def test_candidates_before_an_offer_are_refused(models: TurnModels):
    signals = WebRtcCandidates(pc_id="pc-1", candidates=(WebRtcCandidate(candidate=""),))
    with pytest.raises(OfferError, match="no connection"):
        await Call(models).session.signal(signals)


async def test_a_session_that_nobody_joined_ends_at_once_and_says_why(models: TurnModels):
    call = Call(models)
    await call.session.end("never_connected")
    assert call.events == [{"type": "ended", "reason": "never_connected"}]


async def test_the_channel_hears_what_the_server_is_told(models: TurnModels):
    call, told = Call(models), []
    call.session._channel = cast("Any", SimpleNamespace(reported=told.append))
    await call.session.end("never_connected")
    assert told == call.events != []


async def test_a_session_ends_once(models: TurnModels):
    call = Call(models)
    await call.session.end("idle")
    await call.session.end("hang_up")
    assert call.events == [{"type": "ended", "reason": "idle"}]


async def test_a_call_ends_for_the_reason_that_its_limits_give(models: TurnModels):
    async def keep() -> str:
        return "idle"

    call = Call(models)
    call.session._connected.set()
    call.session._limits = cast("Any", SimpleNamespace(keep=keep))
    await call.session._keep_limits()
    assert call.events == [{"type": "ended", "reason": "idle"}]


@pytest.mark.integration
async def test_a_caller_is_answered_and_a_second_one_is_not(models: TurnModels):
    call = Call(models)
    async with caller() as (peer, offer), caller() as (_, other):
        answer = await call.answer(offer)
        await peer.setRemoteDescription(RTCSessionDescription(answer["sdp"], answer["type"]))
        with pytest.raises(SessionTakenError):
            await call.answer(other)
        with pytest.raises(SessionTakenError):
            await call.answer(other, pc_id="somebody-elses")
        await call.session.end("hang_up")
        assert await call.ended() == "hang_up"


@pytest.mark.integration
async def test_a_call_begins_as_was_chosen_and_is_changed_as_it_goes_on(models: TurnModels):
    call = Call(models, chosen=Change(tts=ChosenVoice(voice="en-gb")))
    async with caller() as (_, offer):
        await call.answer(offer)
        await call.speaks("en-gb", words_per_minute=165)
        await call.session.change(Change(tts=ChosenVoice(provider="embedded", speed=1.2)))
        await call.speaks("en-us+f2", words_per_minute=198)
        await call.session.end("hang_up")
        assert await call.ended() == "hang_up"


async def test_a_call_that_is_ending_is_not_changed(models: TurnModels):
    call = Call(models)
    await call.session.end("idle")
    with pytest.raises(ChangeError, match="ending"):
        await call.session.change(Change(tts=ChosenVoice(speed=1.2)))


async def test_what_is_refused_is_not_told(models: TurnModels):
    call = Call(models)
    with pytest.raises(ChangeError, match="no google"):
        await call.session.change(Change(llm="google"))
    assert call.events == []


@pytest.mark.integration
async def test_a_program_is_answered_and_a_caller_of_another_channel_is_not(models: TurnModels):
    call = Call(models)
    answer = await call.session.connect(WebSocketJoin())
    assert {"type": "answered", "pc_id": answer["pc_id"]} in call.events
    with pytest.raises(SessionTakenError):
        await call.session.connect(WebSocketJoin())
    async with caller() as (_, offer):
        with pytest.raises(OfferError, match="by a websocket"):
            await call.answer(offer)
    await call.session.end("hang_up")
    assert await call.ended() == "hang_up"


async def test_a_websocket_before_anybody_was_answered_is_refused(models: TurnModels):
    with pytest.raises(OfferError, match="no connection"):
        await Call(models).session.attach("ws-1", make_mocked_request("GET", "/audio"))


@pytest.mark.integration
async def test_a_caller_whose_media_never_connects_is_let_go(models: TurnModels):
    call = Call(models, connect_secs=0.05)
    async with caller() as (_, offer):
        await call.answer(offer)
        assert await call.ended() == "never_connected"


@pytest.mark.integration
async def test_a_pipeline_that_fails_ends_the_call_with_an_error(models: TurnModels, monkeypatch: pytest.MonkeyPatch):
    def broken(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("bot.session.build_pipeline", broken)
    call = Call(models)
    async with caller() as (_, offer):
        await call.answer(offer)
        assert await call.ended() == "error"


class Quiet:
    """Stands for what is listened to and tells nothing."""

    def event_handler(self, _name: str) -> Callable[[Any], Any]:
        return lambda handler: handler


async def test_where_every_language_model_fails_the_caller_is_told_so(models: TurnModels):
    call, quiet = Call(models), Quiet()
    parts = SimpleNamespace(assistant=quiet, citations=quiet, talk=quiet, user=quiet)
    failing = {name: ScriptedLLM([ErrorCategory.SERVER]) for name in ("openai", "anthropic", "extractive")}
    async with Staging(failing) as stage:
        call.session._listen(
            stage.worker,
            quiet,
            cast(CallPipeline, parts),
            stage.kept,
            cast(Story, SimpleNamespace(tell=print)),
            Opening("Hello."),
        )
        await stage.ask(until=lambda stage: stage.count(TTSSpeakFrame) > 0)
        said = [frame.text for frame in stage.below.frames if isinstance(frame, TTSSpeakFrame)]
    assert (call.events, said) == ([{"type": "llm_failed"}], [ENGLISH.no_answer])


def test_what_a_log_says_of_an_error_is_its_place_and_not_its_text():
    try:
        raise ValueError("secret")
    except ValueError as error:
        place = place_of(error)
    assert place.startswith("test_session.py:")
    assert "secret" not in place


def test_an_error_that_was_never_raised_has_no_place():
    assert place_of(ValueError()) == "?"
