"""The server in Google's place, asked to speak by Google's own client."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.cloud.texttospeech_v1 import TextToSpeechAsyncClient
from google.cloud.texttospeech_v1.types import cloud_tts
from google.oauth2.service_account import Credentials

from tests.vendors.faults import Fault, Faults
from tests.vendors.google_cloud import account_file
from tests.vendors.google_tts import GoogleTTS, spoken_secs

TEXT = "hello there"
VOICE = "en-US-Chirp3-HD-Aoede"


async def requests(voice: str, language: str) -> AsyncIterator[cloud_tts.StreamingSynthesizeRequest]:
    yield cloud_tts.StreamingSynthesizeRequest(
        streaming_config=cloud_tts.StreamingSynthesizeConfig(
            voice=cloud_tts.VoiceSelectionParams(name=voice, language_code=language),
            streaming_audio_config=cloud_tts.StreamingAudioConfig(
                audio_encoding=cloud_tts.AudioEncoding.PCM, sample_rate_hertz=24_000
            ),
        )
    )
    yield cloud_tts.StreamingSynthesizeRequest(input=cloud_tts.StreamingSynthesisInput(text=TEXT))


async def heard_secs(google: GoogleTTS, folder: Path, *, voice: str = VOICE, language: str = "en-US") -> float:
    credentials = Credentials.from_service_account_file(account_file(folder))
    async with google.serving() as endpoint:
        client = TextToSpeechAsyncClient(credentials=credentials, client_options=ClientOptions(api_endpoint=endpoint))
        answers = await client.streaming_synthesize(requests(voice, language))
        audio_bytes = sum([len(answer.audio_content) async for answer in answers])
        await client.transport.close()
    return audio_bytes / 2 / 24_000


@pytest.mark.parametrize(("fault", "share"), [(None, 1.0), ("wrong_rate", 0.5), ("empty", 0.0)])
async def test_a_text_is_as_long_as_it_is(fault: Fault | None, share: float, tmp_path: Path):
    assert await heard_secs(GoogleTTS(Faults(fault)), tmp_path) == pytest.approx(spoken_secs(TEXT) * share, abs=0.001)


@pytest.mark.parametrize(("voice", "language"), [("en-US-Wavenet-A", "en-US"), (VOICE, "de-DE")])
async def test_a_voice_that_google_cannot_stream_is_refused(voice: str, language: str, tmp_path: Path):
    with pytest.raises(exceptions.InvalidArgument):
        await heard_secs(GoogleTTS(), tmp_path, voice=voice, language=language)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("refuse", exceptions.ServiceUnavailable),
        ("unauthorized", exceptions.Unauthenticated),
        ("rate_limited", exceptions.ResourceExhausted),
        ("server_error", exceptions.InternalServerError),
        ("drop", exceptions.ServiceUnavailable),
    ],
)
async def test_it_fails_as_told(fault: Fault, error: type[Exception], tmp_path: Path):
    with pytest.raises(error):
        await heard_secs(GoogleTTS(Faults(fault)), tmp_path)


@pytest.mark.parametrize("fault", ["stall", "stall_midway", "half_open"])
async def test_it_stops_as_told(fault: Fault, tmp_path: Path):
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(heard_secs(GoogleTTS(Faults(fault)), tmp_path), 0.5)
