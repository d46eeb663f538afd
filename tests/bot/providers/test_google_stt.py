"""Google's Speech-to-Text as Pipecat speaks to it."""

import asyncio
import math
from pathlib import Path

import pytest
from pipecat.frames.frames import (
    ErrorFrame,
    Frame,
    InputAudioRawFrame,
    InterimTranscriptionFrame,
    TranscriptionFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.services.stt_service import STTService
from pipecat.utils.errors import ErrorCategory

from bot.providers.google import GoogleSTT
from bot.providers.google_stt import GoogleSpeechSTTService
from tests.bot.providers.google_running import running
from tests.vendors.faults import Fault, Faults
from tests.vendors.google_cloud import PROJECT, account_file
from tests.vendors.google_speech import GoogleSpeech
from tests.vendors.google_tts import tone

SPOKEN = "when does the pool open"


def service(endpoint: str, folder: Path, *, is_known: bool = True) -> STTService:
    provider = GoogleSTT(credentials=account_file(folder, is_known=is_known), endpoint=endpoint)
    return provider.build(speech_socket=Path("/nowhere"))


def long_open(endpoint: str, folder: Path) -> STTService:
    """One whose streams count as long open from their start."""
    return GoogleSpeechSTTService(credentials_path=account_file(folder), endpoint=endpoint, long_open_secs=0.0)


def rotating(endpoint: str, folder: Path, *, secs: float = 0.0, silent_secs: float = 60.0) -> STTService:
    """One whose streams are left after so long, and that is patient for so long."""
    account = account_file(folder)
    return GoogleSpeechSTTService(
        credentials_path=account, endpoint=endpoint, rotate_secs=secs, silent_secs=silent_secs
    )


def utterance(*, speech_secs: float = 0.6, silence_secs: float = 0.6) -> list[Frame]:
    pcm = tone(secs=speech_secs, rate_hz=16_000) + bytes(round(silence_secs * 16_000) * 2)
    return [InputAudioRawFrame(pcm[start : start + 640], 16_000, 1) for start in range(0, len(pcm), 640)]


async def test_an_utterance_is_transcribed_first_in_part_then_for_good(tmp_path: Path):
    async with GoogleSpeech([SPOKEN]).serving() as endpoint, running(service(endpoint, tmp_path)) as call:
        await call.send(*utterance())
        finals = await call.until(TranscriptionFrame)
    assert [(frame.text, frame.finalized) for frame in finals] == [(SPOKEN, True)]
    assert [frame.text for frame in call.came(InterimTranscriptionFrame)] == ["when does the"]


async def test_google_is_asked_for_the_model_and_the_language_at_the_rate_of_calls(tmp_path: Path):
    google = GoogleSpeech([SPOKEN])
    async with google.serving() as endpoint, running(service(endpoint, tmp_path)) as call:
        await call.send(*utterance())
        await call.until(TranscriptionFrame)
    config = google.asked[0].config.config
    assert google.asked[0].recognizer == f"projects/{PROJECT}/locations/us/recognizers/_"
    assert (config.model, list(config.language_codes)) == ("chirp_3", ["en-US"])
    assert config.explicit_decoding_config.sample_rate_hertz == 16_000


@pytest.mark.parametrize(
    ("fault", "category"),
    [
        ("refuse", ErrorCategory.CONNECTIVITY),
        ("rate_limited", ErrorCategory.RATE_LIMIT),
        ("server_error", ErrorCategory.SERVER),
        ("drop", ErrorCategory.CONNECTIVITY),
        ("garbage", ErrorCategory.UNKNOWN),
    ],
)
async def test_a_failure_is_told_apart_and_a_later_stream_hears(fault: Fault, category: ErrorCategory, tmp_path: Path):
    google = GoogleSpeech([SPOKEN], faults=Faults(fault, times=1))
    async with google.serving() as endpoint, running(service(endpoint, tmp_path)) as call:
        # One piece: what Google says to a stream is lost where more is being written to it as it ends.
        await call.send(*utterance()[:1])
        await call.until(ErrorFrame)
        await call.send(*utterance())
        await call.until(TranscriptionFrame)
    assert {error.category for error in call.came(ErrorFrame)} == {category}


async def test_an_account_that_google_does_not_know_is_told_apart(tmp_path: Path):
    stt = GoogleSpeech([SPOKEN])
    async with stt.serving() as endpoint, running(service(endpoint, tmp_path, is_known=False)) as call:
        await call.send(*utterance()[:1])
        errors = await call.until(ErrorFrame)
    assert errors[0].category is ErrorCategory.AUTHENTICATION


async def test_a_stream_that_google_ends_after_its_time_is_no_error(tmp_path: Path):
    google = GoogleSpeech([SPOKEN], stream_secs=1.0)
    async with google.serving() as endpoint, running(long_open(endpoint, tmp_path)) as call:
        await call.send(*utterance(speech_secs=0.0, silence_secs=1.1))
        await google.ended.wait()
        await call.send(*utterance(silence_secs=0.4))
        await call.until(TranscriptionFrame)
    assert (len(google.asked), call.came(ErrorFrame)) == (2, [])


async def test_a_stream_that_google_ends_for_want_of_audio_is_no_error(tmp_path: Path):
    google = GoogleSpeech([SPOKEN], idle_secs=0.1)
    async with google.serving() as endpoint, running(long_open(endpoint, tmp_path)) as call:
        await call.send(*utterance(speech_secs=0.0, silence_secs=0.1))
        await google.ended.wait()
        await call.send(*utterance())
        await call.until(TranscriptionFrame)
    assert (len(google.asked), call.came(ErrorFrame)) == (2, [])


async def test_a_stream_that_is_closed_in_peace_is_reported_and_another_hears(tmp_path: Path):
    google = GoogleSpeech([SPOKEN], closes_secs=0.2)
    async with google.serving() as endpoint, running(service(endpoint, tmp_path)) as call:
        await call.send(*utterance(speech_secs=0.0, silence_secs=0.3))
        errors = await call.until(ErrorFrame)
        google.closes_secs = math.inf
        await call.send(*utterance())
        await call.until(TranscriptionFrame)
    assert [error.category for error in errors] == [ErrorCategory.CONNECTIVITY]


def stretch(*, speech_secs: float = 0.6) -> list[Frame]:
    """As our VAD tells it."""
    return [VADUserStartedSpeakingFrame(), *utterance(speech_secs=speech_secs), VADUserStoppedSpeakingFrame()]


async def test_no_word_is_lost_as_one_stream_follows_another_between_two_stretches(tmp_path: Path):
    google = GoogleSpeech(["one", "two", "three"])
    async with google.serving() as endpoint, running(rotating(endpoint, tmp_path)) as call:
        for count in (1, 2, 3):
            await call.send(*stretch())
            await call.until(TranscriptionFrame, count)
    assert ([frame.text for frame in call.came(TranscriptionFrame)], call.came(ErrorFrame)) == (
        ["one", "two", "three"],
        [],
    )
    assert len(google.asked) > 1


async def test_a_stream_that_is_left_in_mid_speech_still_tells_what_it_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("bot.providers.google_stt.LAST_SECS", 0.0)
    google = GoogleSpeech(["one", "two"])
    async with google.serving() as endpoint, running(rotating(endpoint, tmp_path, secs=0.2)) as call:
        await call.send(VADUserStartedSpeakingFrame(), *utterance(silence_secs=0.0))
        await asyncio.sleep(0.25)
        await call.send(*utterance())
        await call.until(TranscriptionFrame, 2)
    assert ([frame.text for frame in call.came(TranscriptionFrame)], call.came(ErrorFrame)) == (["one", "two"], [])
    sent_bytes = sum(len(frame.audio) for frame in call.came(InputAudioRawFrame))
    # The last words are told 0.2 s before the end of the silence.
    assert 0 <= sent_bytes - sum(stream.audio_bytes for stream in google.asked) <= 0.2 * 16_000 * 2


@pytest.mark.parametrize("fault", ["stall", "half_open"])
async def test_where_google_says_nothing_to_speech_that_is_told_and_another_stream_hears(fault: Fault, tmp_path: Path):
    google = GoogleSpeech([SPOKEN], faults=Faults(fault, times=1))
    async with google.serving() as endpoint, running(rotating(endpoint, tmp_path, silent_secs=0.3)) as call:
        await call.send(*stretch())
        errors = await call.until(ErrorFrame)
        if fault == "stall":
            await call.send(*stretch())
            await call.until(TranscriptionFrame)
    assert errors[0].category is ErrorCategory.CONNECTIVITY


async def test_a_sound_to_which_google_says_nothing_is_no_error(tmp_path: Path):
    google = GoogleSpeech()
    async with google.serving() as endpoint, running(rotating(endpoint, tmp_path, silent_secs=0.0)) as call:
        await call.send(VADUserStartedSpeakingFrame(), *utterance(speech_secs=0.2, silence_secs=0.2))
        await call.send(VADUserStoppedSpeakingFrame())
        await call.until(VADUserStoppedSpeakingFrame)
        await asyncio.sleep(0)
    assert call.came(ErrorFrame) == []


@pytest.mark.parametrize("fault", ["stall", "stall_midway", "half_open", "empty"])
async def test_a_silent_recogniser_does_not_hold_up_the_end_of_a_call(fault: Fault, tmp_path: Path):
    google = GoogleSpeech([SPOKEN], faults=Faults(fault))
    async with google.serving() as endpoint, running(service(endpoint, tmp_path)) as call:
        await call.send(*utterance())
        await call.until(InputAudioRawFrame, len(utterance()))
    assert call.came(TranscriptionFrame) == []
