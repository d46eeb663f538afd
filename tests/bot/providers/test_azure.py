"""Azure's services in a pipeline, before a server in Azure's place."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
from pipecat.frames.frames import (
    ErrorFrame,
    Frame,
    InputAudioRawFrame,
    InterimTranscriptionFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
    TTSStoppedFrame,
    TTSTextFrame,
    TTSUpdateSettingsFrame,
    VADUserStartedSpeakingFrame,
)
from pipecat.utils.errors import ErrorCategory
from pydantic import SecretStr, ValidationError

from bot.desk.line import Line
from bot.providers import azure_sdk
from bot.providers.azure import AzureSTT, AzureTTS
from tests.vendors.azure_speech import KEY, AzureSpeech
from tests.vendors.faults import Fault, Faults

FRAME_SAMPLES = 320
SPEECH = np.full(FRAME_SAMPLES, 3_000, dtype=np.int16).tobytes()
SILENCE = bytes(2 * FRAME_SAMPLES)
NOWHERE = Path("/nowhere")
ENOUGH_SECS = 15.0
# Shorter than any of the SDK's own limits.
SHORT_SECS = 2.0
REFUSALS: list[tuple[Fault, ErrorCategory]] = [
    ("refuse", ErrorCategory.CONNECTIVITY),
    ("unauthorized", ErrorCategory.AUTHENTICATION),
    ("rate_limited", ErrorCategory.RATE_LIMIT),
    ("server_error", ErrorCategory.SERVER),
]


@asynccontextmanager
async def listening(double: AzureSpeech) -> AsyncIterator[Line]:
    async with double.serving() as url:
        service = AzureSTT(api_key=SecretStr(KEY), endpoint=url).build(speech_socket=NOWHERE)
        line = Line([service], takes=(TranscriptionFrame, InterimTranscriptionFrame))
        await line.start()
        try:
            yield line
        finally:
            await line.end()


@asynccontextmanager
async def speaking(double: AzureSpeech) -> AsyncIterator[Line]:
    async with double.serving() as url:
        service = AzureTTS(api_key=SecretStr(KEY), endpoint=url).build(speech_socket=NOWHERE)
        line = Line([service], takes=(TTSAudioRawFrame, TTSTextFrame, TTSStoppedFrame))
        await line.start()
        try:
            yield line
        finally:
            await line.end()


async def say(line: Line) -> None:
    """Half a second of speech, and as much silence."""
    for pcm in [SPEECH] * 25 + [SILENCE] * 25:
        await line.put(InputAudioRawFrame(audio=pcm, sample_rate=16_000, num_channels=1))


async def until(line: Line, kind: type[Frame], *, timeout_secs: float = ENOUGH_SECS) -> list[Frame]:
    """What comes up to the first frame of this kind."""
    frames = [await line.next(timeout_secs=timeout_secs)]
    while not isinstance(frames[-1], kind):
        frames.append(await line.next(timeout_secs=timeout_secs))
    return frames


async def heard_in_silence(line: Line) -> list[Frame]:
    """What comes up to a transcript while the line is open: the SDK sends nothing again until there is more to send."""
    frames: list[Frame] = []
    while not any(isinstance(frame, TranscriptionFrame) for frame in frames):
        await line.put(InputAudioRawFrame(audio=SILENCE, sample_rate=16_000, num_channels=1))
        with suppress(TimeoutError):
            frames.append(await line.next(timeout_secs=0.02))
    return frames


def spoken_secs(frames: list[Frame]) -> float:
    return sum(len(frame.audio) / 2 / frame.sample_rate for frame in frames if isinstance(frame, TTSAudioRawFrame))


async def test_a_caller_is_heard_word_by_word_and_then_for_good():
    double = AzureSpeech(transcripts=["Where is the pool?"])
    async with listening(double) as line:
        await say(line)
        frames = await until(line, TranscriptionFrame)
    texts = [frame.text for frame in frames if isinstance(frame, TranscriptionFrame | InterimTranscriptionFrame)]
    assert texts == ["where is the", "Where is the pool?"]
    assert isinstance(frames[-1], TranscriptionFrame)
    assert frames[-1].finalized
    assert double.heard_hz == 16_000


async def test_the_language_and_a_short_silence_are_asked_for():
    double = AzureSpeech(transcripts=["Hello."])
    async with listening(double) as line:
        await say(line)
        await until(line, TranscriptionFrame)
    asked = double.bodies("speech.context")[0]["phraseDetection"]
    assert asked["language"] == "en-US"
    assert asked["CONVERSATION"]["segmentation"]["segmentationSilenceTimeoutMs"] == 300


@pytest.mark.parametrize(("fault", "category"), REFUSALS)
async def test_a_recogniser_that_is_refused_says_of_what_kind_it_is(fault: Fault, category: ErrorCategory):
    async with listening(AzureSpeech(faults=Faults(fault=fault))) as line:
        await say(line)
        error = (await until(line, ErrorFrame))[-1]
    assert isinstance(error, ErrorFrame)
    assert error.category is category
    assert KEY not in error.error


@pytest.mark.parametrize("fault", ["refuse", "server_error", "rate_limited"])
async def test_after_it_was_given_up_the_next_stretch_of_speech_is_heard(fault: Fault):
    double = AzureSpeech(transcripts=["Hello."], faults=Faults(fault=fault))
    async with listening(double) as line:
        await say(line)
        await until(line, ErrorFrame)
        double.faults.fault = None
        await line.put(VADUserStartedSpeakingFrame())
        await say(line)
        frames = await until(line, TranscriptionFrame)
    assert [frame.text for frame in frames if isinstance(frame, TranscriptionFrame)] == ["Hello."]


async def test_after_it_was_given_up_later_audio_is_heard(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bot.providers.azure_sdk.REOPEN_SECS", 0.0)
    double = AzureSpeech(transcripts=["Hello."], faults=Faults(fault="server_error"))
    async with listening(double) as line:
        await say(line)
        await until(line, ErrorFrame)
        double.faults.fault = None
        await say(line)
        assert isinstance((await until(line, TranscriptionFrame))[-1], TranscriptionFrame)


async def test_a_connection_that_is_dropped_is_made_again_and_the_audio_sent_again():
    double = AzureSpeech(transcripts=["Hello."], faults=Faults(fault="drop", times=1))
    async with listening(double) as line:
        await say(line)
        frames = await heard_in_silence(line)
    assert len(double.paths) == 2
    assert not any(isinstance(frame, ErrorFrame) for frame in frames)


@pytest.mark.parametrize("fault", ["stall", "stall_midway", "half_open", "garbage", "empty"])
async def test_a_recogniser_that_says_nothing_is_not_reported(fault: Fault):
    """Nobody but whoever waits for the transcript finds out."""
    async with listening(AzureSpeech(transcripts=["Hello."], faults=Faults(fault=fault))) as line:
        await say(line)
        with pytest.raises(TimeoutError):
            await until(line, TranscriptionFrame, timeout_secs=SHORT_SECS)


async def test_a_text_is_spoken_with_its_words():
    async with speaking(AzureSpeech()) as line:
        await line.put(TTSSpeakFrame("Hello there, caller."))
        frames = await until(line, TTSStoppedFrame)
    words = [frame.text for frame in frames if isinstance(frame, TTSTextFrame)]
    assert words == ["Hello", "there,", "caller."]
    assert spoken_secs(frames) == pytest.approx(0.8)


@pytest.mark.parametrize(("fault", "category"), REFUSALS)
async def test_a_voice_that_is_refused_says_of_what_kind_it_is(fault: Fault, category: ErrorCategory):
    async with speaking(AzureSpeech(faults=Faults(fault=fault))) as line:
        await line.put(TTSSpeakFrame("Hello there, caller."))
        error = (await until(line, ErrorFrame))[-1]
    assert isinstance(error, ErrorFrame)
    assert error.category is category
    assert KEY not in error.error


@pytest.mark.parametrize("fault", ["stall", "stall_midway", "half_open", "drop", "garbage"])
async def test_a_voice_that_stops_is_reported(fault: Fault):
    async with speaking(AzureSpeech(faults=Faults(fault=fault))) as line:
        await line.put(TTSSpeakFrame("Hello there, caller."))
        assert isinstance((await until(line, ErrorFrame))[-1], ErrorFrame)


async def test_what_the_sdk_may_still_call_is_held_behind_the_end_of_a_call():
    azure_sdk.HELD.clear()
    async with listening(AzureSpeech()), speaking(AzureSpeech()):
        assert not azure_sdk.HELD
    assert {type(each).__name__ for each in azure_sdk.HELD} == {"SpeechRecognizer", "SpeechSynthesizer"}


async def test_a_voice_without_audio_is_reported():
    async with speaking(AzureSpeech(faults=Faults(fault="empty"))) as line:
        await line.put(TTSSpeakFrame("Hello there, caller."))
        frames = await until(line, ErrorFrame)
    assert spoken_secs(frames) == 0.0


async def test_audio_at_half_the_rate_is_half_as_long():
    async with speaking(AzureSpeech(faults=Faults(fault="wrong_rate"))) as line:
        await line.put(TTSSpeakFrame("Hello there, caller."))
        assert spoken_secs(await until(line, TTSStoppedFrame)) == pytest.approx(0.4)


async def test_a_manner_is_what_azure_is_asked_for():
    double = AzureSpeech()
    async with speaking(double) as line:
        manner = AzureTTS(api_key=SecretStr(KEY), region="x").manner(voice="Bo's", speed=1.5)
        await line.put(TTSUpdateSettingsFrame(delta=manner), TTSSpeakFrame("Hello."))
        await until(line, TTSStoppedFrame)
    assert "<voice name='Bo&apos;s'>" in double.bodies("ssml")[0]
    assert "<prosody rate='1.5'>" in double.bodies("ssml")[0]


@pytest.mark.parametrize("provider", [AzureSTT, AzureTTS])
def test_azure_is_somewhere(provider: type[AzureSTT | AzureTTS]):
    with pytest.raises(ValidationError, match="AZURE_SPEECH_REGION, or AZURE_SPEECH_ENDPOINT"):
        provider(api_key=SecretStr(KEY))


def test_what_is_loaded_before_the_fork_starts_no_thread():
    modules = ", ".join(AzureSTT.preload + AzureTTS.preload)
    code = f"import os, {modules}; print(len(os.listdir('/proc/self/task')))"
    # As in the process that bots are forked from; NumPy alone would start threads.
    one_thread = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=one_thread)
    assert done.stdout.split()[-1] == "1"
