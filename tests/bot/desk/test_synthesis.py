"""A text in, speech out, through the embedded voice's service."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pipecat.frames.frames import LLMFullResponseEndFrame, TTSAudioRawFrame, TTSStartedFrame, TTSStoppedFrame
from pydantic import SecretStr

from bot.desk.errors import DeskError, DeskRequestError, DeskUnavailableError
from bot.desk.line import Line
from bot.desk.requests import SynthesisRequest
from bot.desk.synthesis import synthesized, voice_line
from bot.failover import Failover
from bot.providers.cartesia import CartesiaTTS
from bot.providers.embedded import EmbeddedTTS
from bot.settings import BotSettings, Retrieval
from bot.speech.client import SpeechAudio, SpeechWord
from bot.speech.errors import SpeechError, SpeechRequestError, SpeechUnavailableError
from bot.speech.fake import FakeSpeech
from bot.speech.tts import EmbeddedTTSService
from processors.failover.circuit import Failure
from tests.vendors.cartesia import Cartesia
from tests.vendors.faults import Fault, Faults
from tests.vendors.voice import CHARACTERS_PER_SEC

SETTINGS = BotSettings(retrieval=Retrieval(socket=Path("k")), speech_socket=Path("s"))
TAKES = (TTSStartedFrame, TTSAudioRawFrame, TTSStoppedFrame, LLMFullResponseEndFrame)
MANNER = EmbeddedTTS().manner(voice=None, speed=1.0)
Part = SpeechAudio | SpeechWord | SpeechError
SPOKEN = [SpeechAudio(b"\x01\x00" * 2400), SpeechAudio(b"\x02\x00" * 2400)]


@asynccontextmanager
async def line_of(speech: FakeSpeech) -> AsyncIterator[Line]:
    line = Line([EmbeddedTTSService(client=speech)], takes=TAKES)
    await line.start()
    try:
        yield line
    finally:
        await line.end()


async def speech_of(spoken: Sequence[Sequence[Part]], **request: Any) -> bytes:
    async with line_of(FakeSpeech(spoken=spoken)) as line:
        wanted = SynthesisRequest(**{"text": "Hello.", **request})
        return b"".join([part async for part in synthesized(wanted, line, MANNER, last=True)])


async def test_the_speech_is_what_the_voice_said():
    assert await speech_of([SPOKEN]) == b"".join(part.pcm for part in SPOKEN)


async def test_a_line_speaks_one_text_after_the_other():
    speech = FakeSpeech(spoken=[SPOKEN, SPOKEN])
    async with line_of(speech) as line:
        for _ in range(2):
            parts = [part async for part in synthesized(SynthesisRequest(text="Hello."), line, MANNER, last=True)]
            assert len(b"".join(parts)) == 9600
    assert speech.texts == ["Hello.", "Hello."]


async def test_each_sentence_is_spoken_by_itself():
    speech = FakeSpeech(spoken=[SPOKEN, SPOKEN])
    async with line_of(speech) as line:
        _ = [part async for part in synthesized(SynthesisRequest(text="One here. And two."), line, MANNER, last=True)]
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


async def cartesia(fault: Fault | None, **request: Any) -> bytes:
    """What is said by a Cartesia that fails like this, where there is another voice, too."""
    async with Cartesia(faults=Faults(fault=fault)).serving() as url:
        voice = CartesiaTTS(api_key=SecretStr(Cartesia.KEY), base_url=url, silence_secs=0.1)
        line = voice_line(voice, SETTINGS, meter=Failover(SETTINGS, report=lambda _event: None).meter)
        await line.start()
        try:
            wanted = SynthesisRequest(**{"text": "The pool opens at nine.", **request})
            manner = voice.manner(voice=wanted.voice, speed=wanted.speed)
            return b"".join([part async for part in synthesized(wanted, line, manner, last=False)])
        finally:
            await line.end()


async def test_a_vendors_speech_is_whole():
    assert len(await cartesia(None)) / 2 / 24_000 == pytest.approx(24 / CHARACTERS_PER_SEC, rel=0.1)


@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        ("empty", Failure.EMPTY),
        ("stall", Failure.EMPTY),
        ("stall_midway", Failure.STALLED),
        ("drop", Failure.STALLED),
        ("unauthorized", Failure.REFUSED),
        ("rate_limited", Failure.RATE_LIMIT),
    ],
)
async def test_what_a_vendor_does_wrong_is_no_fault_of_the_client(fault: Fault, failure: Failure):
    with pytest.raises(DeskUnavailableError) as error:
        await cartesia(fault)
    assert error.value.failure is failure


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
