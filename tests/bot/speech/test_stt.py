from collections.abc import Sequence

import pytest
from pipecat.frames.frames import (
    ErrorFrame,
    Frame,
    InputAudioRawFrame,
    LLMContextFrame,
    TranscriptionFrame,
    UserStoppedSpeakingFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.tests.utils import SleepFrame
from pipecat.turns.empty_user_turn import EmptyUserTurnConfig
from pipecat.turns.user_stop import SpeechTimeoutUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies

from bot.speech.errors import SpeechError, SpeechUnavailableError
from bot.speech.fake import FakeSpeech
from bot.speech.recognition import Recognition, Word
from bot.speech.stt import EmbeddedSTTService
from tests.patient import run_test

PCM = b"\x01\x00" * 1600
UNDERSTOOD = Recognition("when does the pool open", 0.9, (Word("when", 0.0, 0.2, 0.9),))
DOUBTFUL = Recognition("the pool the", 0.1, (Word("the", 0.0, 0.2, 0.1),))
NOTHING = Recognition("", 0.0, ())


async def after_an_utterance(speech: FakeSpeech, **settings) -> tuple[Sequence[Frame], Sequence[Frame]]:
    service = EmbeddedSTTService(client=speech, settings=EmbeddedSTTService.Settings(**settings))
    return await run_test(
        service,
        frames_to_send=[
            VADUserStartedSpeakingFrame(),
            InputAudioRawFrame(PCM, 16_000, 1),
            VADUserStoppedSpeakingFrame(),
        ],
    )


def transcripts(frames: Sequence[Frame]) -> list[tuple[str, bool]]:
    return [(frame.text, frame.finalized) for frame in frames if isinstance(frame, TranscriptionFrame)]


async def test_an_understood_utterance_is_transcribed():
    down, _ = await after_an_utterance(FakeSpeech(recognitions=[UNDERSTOOD]))
    assert transcripts(down) == [("when does the pool open", True)]


@pytest.mark.parametrize("recognition", [DOUBTFUL, NOTHING, SpeechUnavailableError("gone")])
async def test_an_utterance_that_was_not_understood_gives_a_blank_transcript(recognition: Recognition | SpeechError):
    down, _ = await after_an_utterance(FakeSpeech(recognitions=[recognition]))
    assert transcripts(down) == [(" ", True)]


async def test_the_least_confidence_is_a_setting():
    down, _ = await after_an_utterance(FakeSpeech(recognitions=[DOUBTFUL]), min_confidence=0.05)
    assert transcripts(down) == [("the pool the", True)]


async def test_the_recogniser_gets_the_samples_without_a_header():
    speech = FakeSpeech(recognitions=[UNDERSTOOD])
    await after_an_utterance(speech)
    assert speech.heard == [(PCM, 16_000)]


async def test_a_failed_recognition_is_reported_and_the_call_goes_on():
    _, up = await after_an_utterance(FakeSpeech(recognitions=[SpeechUnavailableError("gone")]))
    assert [frame.fatal for frame in up if isinstance(frame, ErrorFrame)] == [False]


async def test_the_connections_close_with_the_call():
    speech = FakeSpeech(recognitions=[UNDERSTOOD])
    await after_an_utterance(speech)
    assert speech.closed


async def test_a_blank_transcript_ends_the_turn_at_once_and_has_the_caller_asked_again():
    context = LLMContext()
    aggregator, _ = LLMContextAggregatorPair(
        context,
        user_params=LLMUserAggregatorParams(
            user_turn_strategies=UserTurnStrategies(stop=[SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=0)]),
            empty_user_turn=EmptyUserTurnConfig(idle_prompt="Ask again.", interrupted_prompt="Ask again."),
        ),
    )
    service = EmbeddedSTTService(client=FakeSpeech(recognitions=[DOUBTFUL]))
    down, _ = await run_test(
        Pipeline([service, aggregator]),
        frames_to_send=[
            VADUserStartedSpeakingFrame(),
            InputAudioRawFrame(PCM, 16_000, 1),
            VADUserStoppedSpeakingFrame(),
            SleepFrame(0.2),
        ],
    )
    kinds = [type(frame) for frame in down]
    assert kinds.index(UserStoppedSpeakingFrame) < kinds.index(LLMContextFrame)
    assert context.get_messages() == [{"role": "developer", "content": "Ask again."}]
