"""A text in, speech out, through the embedded voice's service."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pipecat.frames.frames import LLMFullResponseEndFrame, TTSAudioRawFrame

from bot.desk.errors import DeskError, DeskRequestError, DeskUnavailableError
from bot.desk.line import Line
from bot.desk.requests import SynthesisRequest
from bot.desk.synthesis import synthesized
from bot.settings import BotSettings, Retrieval
from bot.speech.client import SpeechAudio, SpeechWord
from bot.speech.errors import SpeechError, SpeechRequestError, SpeechUnavailableError
from bot.speech.fake import FakeSpeech
from bot.speech.tts import EmbeddedTTSService

SETTINGS = BotSettings(retrieval=Retrieval(socket=Path("k")), speech_socket=Path("s"))
Part = SpeechAudio | SpeechWord | SpeechError
SPOKEN = [SpeechAudio(b"\x01\x00" * 2400), SpeechAudio(b"\x02\x00" * 2400)]


@asynccontextmanager
async def line_of(speech: FakeSpeech) -> AsyncIterator[Line]:
    line = Line([EmbeddedTTSService(client=speech)], takes=(TTSAudioRawFrame, LLMFullResponseEndFrame))
    await line.start()
    try:
        yield line
    finally:
        await line.end()


async def speech_of(spoken: Sequence[Sequence[Part]], **request: Any) -> bytes:
    async with line_of(FakeSpeech(spoken=spoken)) as line:
        wanted = SynthesisRequest(**{"text": "Hello.", **request})
        return b"".join([part async for part in synthesized(wanted, line, SETTINGS)])


async def test_the_speech_is_what_the_voice_said():
    assert await speech_of([SPOKEN]) == b"".join(part.pcm for part in SPOKEN)


async def test_a_line_speaks_one_text_after_the_other():
    speech = FakeSpeech(spoken=[SPOKEN, SPOKEN])
    async with line_of(speech) as line:
        for _ in range(2):
            parts = [part async for part in synthesized(SynthesisRequest(text="Hello."), line, SETTINGS)]
            assert len(b"".join(parts)) == 9600
    assert speech.texts == ["Hello.", "Hello."]


async def test_each_sentence_is_spoken_by_itself():
    speech = FakeSpeech(spoken=[SPOKEN, SPOKEN])
    async with line_of(speech) as line:
        _ = [part async for part in synthesized(SynthesisRequest(text="One here. And two."), line, SETTINGS)]
    assert speech.texts == ["One here.", "And two."]


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (SpeechRequestError("There is no voice x."), DeskRequestError),
        (SpeechUnavailableError("g"), DeskUnavailableError),
    ],
)
async def test_a_voice_that_fails_is_told(failure: SpeechError, error: type[DeskError]):
    with pytest.raises(error):
        await speech_of([[failure]])


async def test_a_voice_that_fails_in_mid_speech_is_told():
    with pytest.raises(DeskUnavailableError):
        await speech_of([[SPOKEN[0], SpeechUnavailableError("gone")]])


async def test_a_text_in_which_the_voice_finds_no_words_is_refused():
    with pytest.raises(DeskRequestError, match="no words"):
        await speech_of([[]])


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": ""},
        {"text": "... !"},
        {"text": "a" * 5001},
        {"speed": 0.1},
        {"speed": 3},
        {"encoding": "aac"},
        {"x": 1},
    ],
)
def test_what_can_not_be_spoken_is_no_request(wrong: dict[str, Any]):
    with pytest.raises(ValueError, match="validation error"):
        SynthesisRequest(**{"text": "Hello.", **wrong})
