"""Google's Text-to-Speech as Pipecat speaks to it."""

import asyncio
from pathlib import Path

import pytest
from pipecat.frames.frames import (
    ErrorFrame,
    InterruptionFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
    TTSStoppedFrame,
    TTSUpdateSettingsFrame,
)
from pipecat.services.tts_service import TTSService
from pipecat.utils.errors import ErrorCategory

from bot.providers.google import GoogleTTS
from tests.bot.providers.google_running import Running, running
from tests.vendors.faults import Fault, Faults
from tests.vendors.google_cloud import account_file
from tests.vendors.google_tts import GoogleTTS as Double
from tests.vendors.google_tts import Spoken, spoken_secs

TEXT = "The pool opens at nine."
# A server hears of a call that was cancelled a little later.
LEFT_SECS = 15.0


def provider(endpoint: str, folder: Path) -> GoogleTTS:
    return GoogleTTS(credentials=account_file(folder), endpoint=endpoint, silent_secs=1.0)


def service(endpoint: str, folder: Path) -> TTSService:
    return provider(endpoint, folder).build(speech_socket=Path("/nowhere"))


def heard_secs(call: Running) -> float:
    return sum(len(frame.audio) for frame in call.came(TTSAudioRawFrame)) / 2 / 24_000


async def test_a_text_is_spoken_in_the_voice_that_was_set(tmp_path: Path):
    google = Double()
    async with google.serving() as endpoint, running(service(endpoint, tmp_path)) as call:
        await call.send(TTSSpeakFrame(TEXT))
        await call.until(TTSStoppedFrame)
    assert google.asked == [Spoken(TEXT, "en-US-Chirp3-HD-Aoede", "en-US", 24_000, 1.0)]
    assert heard_secs(call) == pytest.approx(spoken_secs(TEXT), abs=0.001)


async def test_one_text_is_spoken_in_another_manner(tmp_path: Path):
    google = Double()
    async with google.serving() as endpoint, running(service(endpoint, tmp_path)) as call:
        manner = provider(endpoint, tmp_path).manner(voice="de-DE-Chirp3-HD-Puck", speed=1.5)
        await call.send(TTSUpdateSettingsFrame(delta=manner), TTSSpeakFrame(TEXT))
        await call.until(TTSStoppedFrame)
    assert google.asked == [Spoken(TEXT, "de-DE-Chirp3-HD-Puck", "de-DE", 24_000, 1.5)]


@pytest.mark.parametrize(
    ("fault", "category"),
    [
        ("refuse", ErrorCategory.CONNECTIVITY),
        ("unauthorized", ErrorCategory.AUTHENTICATION),
        ("rate_limited", ErrorCategory.RATE_LIMIT),
        ("server_error", ErrorCategory.SERVER),
        ("stall", ErrorCategory.CONNECTIVITY),
        ("stall_midway", ErrorCategory.CONNECTIVITY),
        ("drop", ErrorCategory.CONNECTIVITY),
        ("garbage", ErrorCategory.UNKNOWN),
        ("half_open", ErrorCategory.CONNECTIVITY),
    ],
)
async def test_a_failure_is_told_apart(fault: Fault, category: ErrorCategory, tmp_path: Path):
    google = Double(Faults(fault, times=1))
    async with google.serving() as endpoint, running(service(endpoint, tmp_path)) as call:
        await call.send(TTSSpeakFrame(TEXT))
        errors = await call.until(ErrorFrame)
    assert errors[0].category is category


async def test_after_a_failure_the_next_text_is_spoken(tmp_path: Path):
    google = Double(Faults("stall", times=1))
    async with google.serving() as endpoint, running(service(endpoint, tmp_path)) as call:
        await call.send(TTSSpeakFrame("Lost."), TTSSpeakFrame(TEXT))
        await call.until(TTSStoppedFrame)
    assert heard_secs(call) == pytest.approx(spoken_secs(TEXT), abs=0.001)


async def test_whom_a_caller_interrupts_google_need_not_speak_to_the_end(tmp_path: Path):
    google = Double(Faults(pace=4.0))
    async with google.serving() as endpoint, running(service(endpoint, tmp_path)) as call:
        await call.send(TTSSpeakFrame(TEXT * 50))
        await call.until(TTSAudioRawFrame)
        await call.send(InterruptionFrame())
        await call.until(InterruptionFrame)
        async with asyncio.timeout(LEFT_SECS):
            while not google.left:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    assert [spoken.text for spoken in google.left] == [TEXT * 50]


async def test_a_text_without_audio_is_reported(tmp_path: Path):
    async with Double(Faults("empty")).serving() as endpoint, running(service(endpoint, tmp_path)) as call:
        await call.send(TTSSpeakFrame(TEXT))
        errors = await call.until(ErrorFrame)
    assert (errors[0].category, call.came(TTSAudioRawFrame)) == (ErrorCategory.UNKNOWN, [])
