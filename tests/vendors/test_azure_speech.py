"""The server in Azure's place, asked by Azure's own SDK."""

import asyncio

import azure.cognitiveservices.speech as sdk
import numpy as np
import pytest
from azure.cognitiveservices.speech.audio import AudioConfig, AudioStreamFormat, PushAudioInputStream

from tests.vendors.azure_speech import KEY, AzureSpeech
from tests.vendors.faults import Fault, Faults

RATE_HZ = 16_000
SPEECH = np.full(RATE_HZ, 3_000, dtype=np.int16).tobytes()
SILENCE = bytes(2 * RATE_HZ)
SSML = "<speak version='1.0' xml:lang='en-US'><voice name='en-US-AvaNeural'>Hello there, caller.</voice></speak>"
HANDSHAKES = [
    ("refuse", "ConnectionFailure"),
    ("unauthorized", "AuthenticationFailure"),
    ("rate_limited", "TooManyRequests"),
    ("server_error", "ServiceError"),
]


def heard(url: str, *, key: str = KEY) -> tuple[str, str | None]:
    """What one utterance is heard as, or None, and why it was not; blocks."""
    config = sdk.SpeechConfig(subscription=key, endpoint=url, speech_recognition_language="en-US")
    stream = PushAudioInputStream(AudioStreamFormat(samples_per_second=RATE_HZ, channels=1))
    stream.write(SPEECH + SILENCE)
    stream.close()
    recognizer = sdk.SpeechRecognizer(speech_config=config, audio_config=AudioConfig(stream=stream))
    result = recognizer.recognize_once_async().get()
    assert result is not None
    return result.text, result.cancellation_details.code.name if result.cancellation_details else None


# The SDK tells a synthesizer of its end after it, on a thread of its own: nobody may free it then.
HELD: list[object] = []


class Speaker:
    """Has a text spoken, and keeps what came of it."""

    def __init__(self, url: str) -> None:
        config = sdk.SpeechConfig(subscription=KEY, endpoint=url)
        config.set_speech_synthesis_output_format(sdk.SpeechSynthesisOutputFormat.Raw24Khz16BitMonoPcm)
        self.words: list[tuple[str, float]] = []
        self.pieces: list[bytes] = []
        self.synthesizer = sdk.SpeechSynthesizer(speech_config=config, audio_config=None)
        HELD.append(self.synthesizer)
        self.synthesizer.synthesis_word_boundary.connect(
            lambda event: self.words.append((event.text, event.audio_offset / 10_000_000))
        )
        self.synthesizer.synthesizing.connect(lambda event: self.pieces.append(event.result.audio_data))

    def speak(self) -> str | None:
        """Why it was not spoken; blocks."""
        result = self.synthesizer.speak_ssml_async(SSML).get()
        assert result is not None
        return result.cancellation_details.error_code.name if result.cancellation_details else None

    async def told(self, *, secs: float, words: int = 0) -> None:
        """Returns when so much was told of: the SDK does so on threads of its own, behind the result, too."""
        async with asyncio.timeout(5):
            while self.secs < secs or len(self.words) < words:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    @property
    def secs(self) -> float:
        return sum(len(piece) for piece in self.pieces) / 2 / 24_000


async def test_speech_is_heard_as_told():
    async with AzureSpeech(transcripts=["Hello there."]).serving() as url:
        assert await asyncio.to_thread(heard, url) == ("Hello there.", None)


async def test_nothing_is_understood_once_all_transcripts_were_given():
    async with AzureSpeech().serving() as url:
        assert await asyncio.to_thread(heard, url) == ("", None)


async def test_another_key_is_denied():
    async with AzureSpeech().serving() as url:
        assert await asyncio.to_thread(heard, url, key="another") == ("", "AuthenticationFailure")


@pytest.mark.parametrize(("fault", "code"), HANDSHAKES)
async def test_who_wants_to_be_heard_is_refused_as_told(fault: Fault, code: str):
    async with AzureSpeech(transcripts=["Hello."], faults=Faults(fault=fault)).serving() as url:
        assert await asyncio.to_thread(heard, url) == ("", code)


async def test_an_empty_transcript_has_no_words():
    async with AzureSpeech(transcripts=["Hello."], faults=Faults(fault="empty")).serving() as url:
        assert await asyncio.to_thread(heard, url) == ("", None)


async def test_a_text_is_spoken_with_the_time_of_each_word():
    async with AzureSpeech().serving() as url:
        speaker = Speaker(url)
        assert await asyncio.to_thread(speaker.speak) is None
        await speaker.told(secs=0.75, words=5)
    assert speaker.words == [("Hello", 0.0), ("there", 0.25), (",", 0.5), ("caller", 0.5), (".", 0.75)]
    assert speaker.secs == pytest.approx(0.8)


@pytest.mark.parametrize(("fault", "code"), HANDSHAKES)
async def test_who_wants_a_text_spoken_is_refused_as_told(fault: Fault, code: str):
    async with AzureSpeech(faults=Faults(fault=fault)).serving() as url:
        assert await asyncio.to_thread(Speaker(url).speak) == code


@pytest.mark.parametrize(("fault", "secs"), [("wrong_rate", 0.4), ("drop", 0.4), ("empty", 0.0)])
async def test_audio_is_short_as_told(fault: Fault, secs: float):
    async with AzureSpeech(faults=Faults(fault=fault)).serving() as url:
        speaker = Speaker(url)
        await asyncio.to_thread(speaker.speak)
        await speaker.told(secs=secs - 0.1)
    assert speaker.secs == pytest.approx(secs, abs=0.1)
