"""Deepgram's recognisers as they are built for a call, against servers in Deepgram's place."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pipecat.audio.turn.base_turn_analyzer import BaseTurnAnalyzer, BaseTurnParams, EndOfTurnState
from pipecat.frames.frames import (
    ErrorFrame,
    Frame,
    InputAudioRawFrame,
    InterimTranscriptionFrame,
    LLMContextFrame,
    TranscriptionFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.services.stt_service import STTService
from pipecat.turns.user_start import TranscriptionUserTurnStartStrategy, VADUserTurnStartStrategy
from pipecat.turns.user_stop import TurnAnalyzerUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.utils.errors import ErrorCategory
from pydantic import SecretStr

from bot.desk.line import Line
from bot.providers import deepgram_recognisers as module
from bot.providers.deepgram import DeepgramFluxSTT, DeepgramSTT
from processors.failover.stt import Streams
from tests.vendors.deepgram import KEY, Listener, silence, spoken
from tests.vendors.deepgram_flux import DeepgramFlux
from tests.vendors.deepgram_listen import DeepgramListen
from tests.vendors.faults import Fault, Faults

NOWHERE = Path("/nowhere")
SOON_SECS = 10.0
PIECE_BYTES = 640
Recogniser = tuple[type[DeepgramListen | DeepgramFlux], type[DeepgramSTT | DeepgramFluxSTT]]
NOVA: Recogniser = (DeepgramListen, DeepgramSTT)
FLUX: Recogniser = (DeepgramFlux, DeepgramFluxSTT)
BOTH = pytest.mark.parametrize("recogniser", [NOVA, FLUX], ids=["nova", "flux"])


def recogniser_at(url: str, provider: type[DeepgramSTT | DeepgramFluxSTT], **fields: Any) -> STTService:
    return provider(**{"api_key": SecretStr(KEY), "base_url": url, **fields}).build(speech_socket=NOWHERE)


@asynccontextmanager
async def started(line: Line) -> AsyncIterator[Line]:
    await line.start()
    try:
        yield line
    finally:
        await line.end()


@asynccontextmanager
async def listening(server: Listener, provider: type[DeepgramSTT | DeepgramFluxSTT], **fields: Any):
    """A line of the recogniser alone."""
    async with server.serving() as url:
        service = recogniser_at(url, provider, **fields)
        async with started(Line([service], takes=(TranscriptionFrame, InterimTranscriptionFrame))) as line:
            yield line


def stretch(audio: bytes) -> list[Frame]:
    """Speech as a call hears it, and the silence in which the VAD notices that it is over."""
    whole = audio + silence(0.2)
    pieces = [whole[at : at + PIECE_BYTES] for at in range(0, len(whole), PIECE_BYTES)]
    frames: list[Frame] = [InputAudioRawFrame(piece, 16_000, 1) for piece in pieces]
    return [VADUserStartedSpeakingFrame(start_secs=0.064), *frames, VADUserStoppedSpeakingFrame(stop_secs=0.2)]


async def until(line: Line, ends: Callable[[Frame], bool]) -> list[Frame]:
    frames = [await line.next(timeout_secs=SOON_SECS)]
    while not ends(frames[-1]):
        frames.append(await line.next(timeout_secs=SOON_SECS))
    return frames


async def connected(server: Listener, *, times: int) -> None:
    async with asyncio.timeout(SOON_SECS):
        while len(server.connections) < times:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def is_final(frame: Frame) -> bool:
    return isinstance(frame, TranscriptionFrame) and frame.finalized


def is_error(frame: Frame) -> bool:
    return isinstance(frame, ErrorFrame)


def finals(frames: list[Frame]) -> list[tuple[str, bool]]:
    return [(frame.text, frame.finalized) for frame in frames if isinstance(frame, TranscriptionFrame)]


@BOTH
async def test_a_stretch_of_speech_is_one_transcript_known_to_be_the_last(recogniser: Recogniser):
    double, provider = recogniser
    server = double(transcripts=["when does the pool open"])
    async with listening(server, provider) as line:
        await line.put(*stretch(spoken(1.5)))
        frames = await until(line, is_final)
    assert finals(frames) == [("when does the pool open", True)]
    assert [each.text for each in frames if isinstance(each, InterimTranscriptionFrame)][:2] == ["when", "when does"]
    assert server.heard == [spoken(1.5)]


@BOTH
async def test_the_next_stretch_has_its_own_transcript(recogniser: Recogniser):
    double, provider = recogniser
    server = double(transcripts=["is it open", "on sundays"])
    async with listening(server, provider) as line:
        await line.put(*stretch(spoken(0.9)))
        first = await until(line, is_final)
        await line.put(*stretch(spoken(0.6)))
        second = await until(line, is_final)
    assert (finals(first), finals(second)) == ([("is it open", True)], [("on sundays", True)])


async def test_nova_is_asked_as_it_was_set():
    server = DeepgramListen(transcripts=["si"])
    async with listening(server, DeepgramSTT, model="nova-2", language="es") as line:
        await line.put(*stretch(spoken(0.3)))
        await until(line, is_final)
    (query,) = server.connections
    assert (query["model"], query["language"], query["sample_rate"]) == ("nova-2", "es", "16000")
    assert (query["endpointing"], query["interim_results"]) == ("false", "true")


@pytest.mark.parametrize(("is_eager", "threshold"), [(True, "0.5"), (False, None)])
async def test_flux_is_asked_as_it_was_set(is_eager: bool, threshold: str | None):
    server = DeepgramFlux(transcripts=["si"])
    async with listening(server, DeepgramFluxSTT, model="flux-general-multi", is_eager=is_eager) as line:
        await line.put(*stretch(spoken(0.3)))
        await until(line, is_final)
    (query,) = server.connections
    assert (query["model"], query.get("eager_eot_threshold")) == ("flux-general-multi", threshold)


@pytest.mark.parametrize("is_eager", [True, False])
async def test_flux_that_is_not_sure_ends_its_turn_in_our_silence(is_eager: bool):
    server = DeepgramFlux(transcripts=["when"], is_sure=False)
    async with listening(server, DeepgramFluxSTT, is_eager=is_eager) as line:
        await line.put(*stretch(spoken(0.3)))
        assert finals(await until(line, is_final)) == [("when", True)]
    assert {"type": "ForceEndTurn"} in server.asked


@BOTH
async def test_speech_without_words_is_a_blank_transcript(recogniser: Recogniser, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "ANSWER_SECS", 0.3)
    double, provider = recogniser
    async with listening(double(faults=Faults("empty")), provider) as line:
        await line.put(*stretch(spoken(0.3)))
        frames = await until(line, is_final)
    assert finals(frames) == [(" ", True)]
    assert not any(map(is_error, frames))


@BOTH
@pytest.mark.parametrize("fault", ["stall", "half_open"])
async def test_a_recogniser_that_does_not_answer_is_told_and_the_turn_ends(
    recogniser: Recogniser, fault: Fault, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "ANSWER_SECS", 0.3)
    double, provider = recogniser
    async with listening(double(transcripts=["when"], faults=Faults(fault)), provider) as line:
        await line.put(*stretch(spoken(0.3)))
        frames = await until(line, is_final)
        frames += await line.rest()
    errors = [frame for frame in frames if isinstance(frame, ErrorFrame)]
    assert finals(frames) == [(" ", True)]
    assert [error.category for error in errors] == [ErrorCategory.CONNECTIVITY]


@BOTH
async def test_words_whose_end_is_not_told_are_a_blank_transcript_and_begun_anew_it_owes_them_no_more(
    recogniser: Recogniser, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "ANSWER_SECS", 0.3)
    double, provider = recogniser
    server = double(transcripts=["when does it open", "and close"], faults=Faults("stall_midway", times=1))
    async with server.serving() as url:
        service = recogniser_at(url, provider)
        assert isinstance(service, Streams)
        async with started(Line([service], takes=(TranscriptionFrame,))) as line:
            await line.put(*stretch(spoken(1.2)))
            assert finals(await until(line, is_final)) == [(" ", True)]
            await service.begin_anew()
            await connected(server, times=2)
            await line.rest()
            await line.put(*stretch(spoken(0.6)))
            assert finals(await until(line, is_final)) == [("and close", True)]


@BOTH
@pytest.mark.parametrize(
    ("fault", "category", "usable"),
    [
        ("refuse", ErrorCategory.UNKNOWN, True),
        ("unauthorized", ErrorCategory.AUTHENTICATION, False),
        ("server_error", ErrorCategory.SERVER, True),
    ],
)
async def test_a_call_begins_without_a_connection_and_is_told(
    recogniser: Recogniser, fault: Fault, category: ErrorCategory, usable: bool
):
    double, provider = recogniser
    errors: list[ErrorFrame] = []
    async with double(faults=Faults(fault)).serving() as url:
        service = recogniser_at(url, provider)

        @service.event_handler("on_error")
        async def on_error(_service: object, error: ErrorFrame) -> None:
            errors.append(error)

        async with started(Line([service], takes=(TranscriptionFrame,))):
            pass
    assert (errors[0].category, service.is_usable) == (category, usable)
    assert not any(KEY in f"{error.error} {error.exception}" for error in errors)


@BOTH
async def test_too_many_requests_leave_it_usable(recogniser: Recogniser):
    double, provider = recogniser
    async with double(faults=Faults("rate_limited")).serving() as url:
        service = recogniser_at(url, provider)
        async with started(Line([service], takes=(TranscriptionFrame,))) as line:
            error = (await until(line, is_error))[-1]
            assert isinstance(error, ErrorFrame)
            assert (error.category, service.is_usable) == (ErrorCategory.RATE_LIMIT, True)


@pytest.mark.parametrize("fault", ["rate_limited", "unauthorized"])
async def test_nova_that_was_refused_hears_when_it_is_asked_again(fault: Fault):
    server = DeepgramListen(transcripts=["when"], faults=Faults(fault, times=1))
    async with server.serving() as url:
        service = recogniser_at(url, DeepgramSTT)
        async with started(Line([service], takes=(TranscriptionFrame,))) as line:
            await until(line, is_error)
            await service.set_usable(True)
            await line.put(*stretch(spoken(0.3)))
            assert finals(await until(line, is_final)) == [("when", True)]


async def test_a_connection_of_novas_that_drops_is_told():
    server = DeepgramListen(transcripts=["when does it open"], faults=Faults("drop", times=1))
    async with listening(server, DeepgramSTT) as line:
        await line.put(*stretch(spoken(1.2)))
        error = (await until(line, is_error))[-1]
    assert isinstance(error, ErrorFrame)
    assert error.category is ErrorCategory.UNKNOWN


async def test_a_connection_of_flux_that_drops_is_made_anew_and_leaves_the_words_so_far():
    server = DeepgramFlux(transcripts=["when does it open"], faults=Faults("drop", times=1))
    async with listening(server, DeepgramFluxSTT) as line:
        await line.put(*stretch(spoken(1.2)))
        frames = await until(line, lambda frame: isinstance(frame, TranscriptionFrame))
    assert finals(frames) == [("when does", False)]
    assert not any(map(is_error, frames))


async def test_what_is_not_novas_language_costs_the_connection():
    server = DeepgramListen(transcripts=["when"], faults=Faults("garbage", times=1))
    async with listening(server, DeepgramSTT) as line:
        await line.put(*stretch(spoken(0.3)))
        assert is_error((await until(line, is_error))[-1])


async def test_what_is_not_flux_language_is_passed_over():
    async with listening(DeepgramFlux(transcripts=["when"], faults=Faults("garbage")), DeepgramFluxSTT) as line:
        await line.put(*stretch(spoken(0.3)))
        assert finals(await until(line, is_final)) == [("when", True)]


class Sure(BaseTurnAnalyzer):
    """Takes each silence but those that are named for the end of the turn."""

    def __init__(self, *verdicts: EndOfTurnState) -> None:
        super().__init__()
        self._verdicts = list(verdicts)

    @property
    def speech_triggered(self) -> bool:
        return False

    @property
    def params(self) -> BaseTurnParams:
        return BaseTurnParams()

    def append_audio(self, buffer: bytes, is_speech: bool) -> EndOfTurnState:
        return EndOfTurnState.INCOMPLETE

    async def analyze_end_of_turn(self) -> tuple[EndOfTurnState, None]:
        return self._verdicts.pop(0), None

    def clear(self) -> None:
        pass


class Conversation:
    """The recogniser and the turns that a call has, with a context of their own."""

    def __init__(self, service: STTService, *verdicts: EndOfTurnState) -> None:
        strategies = UserTurnStrategies(
            start=[VADUserTurnStartStrategy(), TranscriptionUserTurnStartStrategy()],
            stop=[TurnAnalyzerUserTurnStopStrategy(turn_analyzer=Sure(*verdicts))],
        )
        self.context = LLMContext()
        user = LLMUserAggregatorParams(user_turn_strategies=strategies)
        pair = LLMContextAggregatorPair(self.context, user_params=user)
        self.line = Line([service, pair.user()], takes=(LLMContextFrame,))
        self.transcribed = asyncio.Event()

        @service.event_handler("on_after_push_frame")
        async def on_after_push_frame(_service: object, frame: Frame) -> None:
            if isinstance(frame, TranscriptionFrame):
                self.transcribed.set()

    async def answered(self) -> list[Any]:
        """What the caller has said when an answer is due."""
        await until(self.line, lambda frame: isinstance(frame, LLMContextFrame))
        return [message.get("content") for message in self.context.get_messages() if isinstance(message, dict)]


@asynccontextmanager
async def conversing(server: Listener, provider: type[DeepgramSTT | DeepgramFluxSTT], *verdicts: EndOfTurnState):
    async with server.serving() as url:
        conversation = Conversation(recogniser_at(url, provider), *verdicts)
        async with started(conversation.line):
            yield conversation


@BOTH
async def test_a_turn_holds_the_words_of_its_stretch(recogniser: Recogniser):
    double, provider = recogniser
    server = double(transcripts=["when does the pool open"])
    async with conversing(server, provider, EndOfTurnState.COMPLETE) as conversation:
        await conversation.line.put(*stretch(spoken(1.5)))
        assert await conversation.answered() == ["when does the pool open"]


@BOTH
async def test_a_turn_of_two_stretches_waits_for_the_words_of_the_second(recogniser: Recogniser):
    double, provider = recogniser
    server = double(transcripts=["when does the pool", "open"], faults=Faults(delay_secs=0.1))
    verdicts = (EndOfTurnState.INCOMPLETE, EndOfTurnState.COMPLETE)
    async with conversing(server, provider, *verdicts) as conversation:
        await conversation.line.put(*stretch(spoken(1.2)))
        await asyncio.wait_for(conversation.transcribed.wait(), SOON_SECS)
        await conversation.line.put(*stretch(spoken(0.3)))
        assert await conversation.answered() == ["when does the pool open"]


@BOTH
async def test_a_connection_that_stands_still_is_given_up_and_the_next_stretch_is_heard(
    recogniser: Recogniser, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "ANSWER_SECS", 0.2)
    monkeypatch.setattr("bot.providers.liveness.PONG_SECS", 0.2)
    double, provider = recogniser
    server = double(transcripts=["when", "does it", "open"])
    async with listening(server, provider) as line:
        await line.put(*stretch(spoken(0.3)))
        await until(line, is_final)
        server.freeze()
        await line.put(*stretch(spoken(0.3)))
        frames = await until(line, is_error)
        await connected(server, times=2)
        await line.rest()
        await line.put(*stretch(spoken(0.3)))
        assert finals(await until(line, is_final))[-1][0] in ("does it", "open")
    assert isinstance(frames[-1], ErrorFrame)
    assert frames[-1].category is ErrorCategory.CONNECTIVITY


async def test_audio_that_is_not_taken_holds_nobody_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "SEND_SECS", 0.05)
    server = DeepgramListen(transcripts=["when"])
    async with listening(server, DeepgramSTT) as line:
        await line.put(*stretch(spoken(0.3)))
        await until(line, is_final)
        server.freeze()
        await line.put(*stretch(spoken(600.0)))
        error = (await until(line, is_error))[-1]
    assert isinstance(error, ErrorFrame)
    assert error.category is ErrorCategory.CONNECTIVITY
