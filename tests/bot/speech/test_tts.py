from collections.abc import Sequence

import pytest
from pipecat.frames.frames import (
    ErrorFrame,
    Frame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
    TTSTextFrame,
)

from bot.speech.client import SpeechAudio, SpeechWord
from bot.speech.errors import SpeechUnavailableError
from bot.speech.fake import FakeSpeech
from bot.speech.tts import PAUSE_BETWEEN_SENTENCES_SECS, EmbeddedTTSService
from tests.patient import run_test

SAMPLE_RATE_HZ = 24_000
SECOND = b"\x01\x00" * SAMPLE_RATE_HZ
HELLO = (SpeechWord("Hello", 0.0), SpeechAudio(SECOND), SpeechWord("there.", 0.5), SpeechAudio(SECOND))
GOODBYE = (SpeechWord("Goodbye.", 0.1), SpeechAudio(SECOND))


async def spoken(speech: FakeSpeech, frames: Sequence[Frame]) -> tuple[Sequence[Frame], Sequence[Frame]]:
    return await run_test(EmbeddedTTSService(client=speech, sample_rate=SAMPLE_RATE_HZ), frames_to_send=frames)


def word_times(frames: Sequence[Frame]) -> dict[str, int]:
    return {frame.text: frame.pts or 0 for frame in frames if isinstance(frame, TTSTextFrame)}


def answer(text: str) -> list[Frame]:
    return [LLMFullResponseStartFrame(), LLMTextFrame(text), LLMFullResponseEndFrame()]


async def test_a_text_is_spoken_between_start_and_stop():
    down, _ = await spoken(FakeSpeech(spoken=[HELLO]), [TTSSpeakFrame("Hello there.")])
    kinds = [type(frame) for frame in down if isinstance(frame, TTSStartedFrame | TTSAudioRawFrame | TTSStoppedFrame)]
    assert kinds == [TTSStartedFrame, TTSAudioRawFrame, TTSAudioRawFrame, TTSStoppedFrame]


async def test_words_come_with_the_time_at_which_they_are_said():
    down, _ = await spoken(FakeSpeech(spoken=[HELLO]), [TTSSpeakFrame("Hello there.")])
    times = word_times(down)
    assert list(times) == ["Hello", "there."]
    assert times["there."] - times["Hello"] == pytest.approx(0.5e9)


async def test_a_second_sentence_follows_after_a_pause():
    down, _ = await spoken(FakeSpeech(spoken=[HELLO, GOODBYE]), answer("Hello there. Goodbye."))
    times = word_times(down)
    assert times["Goodbye."] - times["Hello"] == pytest.approx((2.1 + PAUSE_BETWEEN_SENTENCES_SECS) * 1e9)


async def test_a_failed_text_is_reported_and_the_call_goes_on():
    down, up = await spoken(
        FakeSpeech(spoken=[(SpeechUnavailableError("gone"),), GOODBYE]),
        [TTSSpeakFrame("Hello there."), TTSSpeakFrame("Goodbye.")],
    )
    assert next(frame.fatal for frame in up if isinstance(frame, ErrorFrame)) is False
    assert any(isinstance(frame, TTSAudioRawFrame) for frame in down)


async def test_the_connections_close_with_the_call():
    speech = FakeSpeech(spoken=[HELLO])
    await spoken(speech, [TTSSpeakFrame("Hello there.")])
    assert speech.closed
