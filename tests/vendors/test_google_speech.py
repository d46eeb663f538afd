"""The server in Google's place, streamed to by Google's own client."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.cloud.speech_v2 import SpeechAsyncClient
from google.cloud.speech_v2.types import cloud_speech
from google.oauth2.service_account import Credentials
from google.rpc.error_details_pb2 import RetryInfo

from tests.vendors.faults import Fault, Faults
from tests.vendors.google_cloud import account_file
from tests.vendors.google_speech import MAX_CHUNK_BYTES, GoogleSpeech
from tests.vendors.google_tts import tone

RECOGNIZER = "projects/a-project/locations/us/recognizers/_"
SPEECH, SILENCE = tone(secs=0.5, rate_hz=16_000), bytes(16_000)


async def requests(
    *pieces: bytes, recognizer: str = RECOGNIZER
) -> AsyncIterator[cloud_speech.StreamingRecognizeRequest]:
    config = cloud_speech.StreamingRecognitionConfig(
        config=cloud_speech.RecognitionConfig(
            explicit_decoding_config=cloud_speech.ExplicitDecodingConfig(
                encoding=cloud_speech.ExplicitDecodingConfig.AudioEncoding.LINEAR16,
                sample_rate_hertz=16_000,
                audio_channel_count=1,
            ),
            language_codes=["en-US"],
            model="chirp_3",
        )
    )
    yield cloud_speech.StreamingRecognizeRequest(recognizer=recognizer, streaming_config=config)
    for piece in pieces:
        yield cloud_speech.StreamingRecognizeRequest(audio=piece)


async def results(
    google: GoogleSpeech, folder: Path, *pieces: bytes, is_known: bool = True, recognizer: str = RECOGNIZER
) -> list[tuple[str, bool]]:
    credentials = Credentials.from_service_account_file(account_file(folder, is_known=is_known))
    async with google.serving() as endpoint:
        client = SpeechAsyncClient(credentials=credentials, client_options=ClientOptions(api_endpoint=endpoint))
        answers = await client.streaming_recognize(requests=requests(*pieces, recognizer=recognizer))
        found = [
            (result.alternatives[0].transcript, result.is_final)
            async for answer in answers
            for result in answer.results
        ]
        await client.transport.close()
    return found


async def test_a_stretch_of_speech_is_understood_as_it_was_told(tmp_path: Path):
    google = GoogleSpeech(["hello there"])
    assert await results(google, tmp_path, SPEECH, SILENCE) == [("hello there", False), ("hello there", True)]


async def test_each_stretch_has_its_own_transcript(tmp_path: Path):
    found = await results(GoogleSpeech(["one", "two"]), tmp_path, SPEECH, SILENCE, SPEECH)
    assert [transcript for transcript, is_final in found if is_final] == ["one", "two"]


async def test_silence_is_understood_as_nothing(tmp_path: Path):
    assert await results(GoogleSpeech(["hello"]), tmp_path, SILENCE) == []


async def test_an_account_that_google_does_not_know_is_refused(tmp_path: Path):
    with pytest.raises(exceptions.Unauthenticated):
        await results(GoogleSpeech(), tmp_path, is_known=False)


async def test_a_stream_for_no_recognizer_is_refused(tmp_path: Path):
    with pytest.raises(exceptions.InvalidArgument):
        await results(GoogleSpeech(), tmp_path, recognizer="")


async def test_a_piece_of_audio_that_is_too_long_is_refused(tmp_path: Path):
    with pytest.raises(exceptions.InvalidArgument):
        await results(GoogleSpeech(), tmp_path, bytes(MAX_CHUNK_BYTES + 2))


async def test_a_stream_is_aborted_after_its_time(tmp_path: Path):
    with pytest.raises(exceptions.Aborted, match="Max duration of 5 minutes"):
        await results(GoogleSpeech(stream_secs=0.3), tmp_path, SILENCE)


async def test_too_many_requests_are_told_when_to_come_again(tmp_path: Path):
    with pytest.raises(exceptions.ResourceExhausted) as refusal:
        await results(GoogleSpeech(faults=Faults("rate_limited", retry_after="7")), tmp_path)
    details = [detail for detail in refusal.value.details if isinstance(detail, RetryInfo)]
    assert [detail.retry_delay.seconds for detail in details] == [7]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("refuse", exceptions.ServiceUnavailable),
        ("unauthorized", exceptions.Unauthenticated),
        ("server_error", exceptions.InternalServerError),
        ("drop", exceptions.ServiceUnavailable),
    ],
)
async def test_it_fails_as_told(fault: Fault, error: type[Exception], tmp_path: Path):
    with pytest.raises(error):
        await results(GoogleSpeech(["hello"], faults=Faults(fault)), tmp_path, SPEECH)


async def test_it_hears_nothing_when_told_to(tmp_path: Path):
    assert await results(GoogleSpeech(["hello"], faults=Faults("empty")), tmp_path, SPEECH, SILENCE) == []
