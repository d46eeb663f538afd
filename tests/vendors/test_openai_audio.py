"""The server in OpenAI's place, told to speak and to listen by OpenAI's own client."""

import io

import pytest
import soundfile
from httpx2 import RemoteProtocolError, TransportError
from openai import APIConnectionError, APIStatusError, APITimeoutError, AsyncOpenAI

from tests.vendors.faults import Fault, Faults
from tests.vendors.openai_audio import CHARACTER_SECS, RATE_HZ, OpenAIAudio, spoken
from tests.vendors.openai_chat import KEY

TEXT = "We open at nine."
BYTES = round(len(TEXT) * CHARACTER_SECS * RATE_HZ) * 2


def client(url: str, *, api_key: str = KEY, timeout: float = 5.0) -> AsyncOpenAI:
    return AsyncOpenAI(api_key=api_key, base_url=url, max_retries=0, timeout=timeout)


async def speech(openai: AsyncOpenAI, **wanted) -> bytes:
    wanted = {"model": "m", "voice": "marin", "input": TEXT, "response_format": "pcm", **wanted}
    async with openai.audio.speech.with_streaming_response.create(**wanted) as answer:
        return b"".join([part async for part in answer.iter_bytes()])


async def transcript(openai: AsyncOpenAI) -> str:
    file = io.BytesIO()
    soundfile.write(file, [0.0] * 1_600, 16_000, format="WAV", subtype="PCM_16")
    heard = await openai.audio.transcriptions.create(model="m", language="en", file=("a.wav", file.getvalue()))
    return heard.text


@pytest.mark.parametrize(("speed", "size"), [(1.0, BYTES), (2.0, BYTES // 2)])
async def test_speech_is_as_long_as_its_text(speed: float, size: int) -> None:
    async with OpenAIAudio().serving() as url, client(url) as openai:
        assert len(await speech(openai, speed=speed)) == size


async def test_a_transcript_is_what_the_test_says() -> None:
    audio = OpenAIAudio(transcripts=["When do you open?"])
    async with audio.serving() as url, client(url) as openai:
        assert await transcript(openai) == "When do you open?"
    assert audio.asked == [{"model": "m", "language": "en", "rate_hz": 16_000, "audio_secs": 0.1}]


async def test_a_voice_that_it_does_not_have_is_refused() -> None:
    async with OpenAIAudio(voices=frozenset({"marin"})).serving() as url, client(url) as openai:
        with pytest.raises(APIStatusError) as refusal:
            await speech(openai, voice="af_heart")
    assert refusal.value.status_code == 400


@pytest.mark.parametrize("ask", [speech, transcript])
@pytest.mark.parametrize(
    ("fault", "api_key", "status"),
    [(None, "sk-other", 401), ("unauthorized", KEY, 401), ("rate_limited", KEY, 429), ("server_error", KEY, 500)],
)
async def test_it_refuses_as_told(ask, fault: Fault | None, api_key: str, status: int) -> None:
    async with OpenAIAudio(faults=Faults(fault)).serving() as url, client(url, api_key=api_key) as openai:
        with pytest.raises(APIStatusError) as refusal:
            await ask(openai)
    assert refusal.value.status_code == status


@pytest.mark.parametrize("ask", [speech, transcript])
@pytest.mark.parametrize("fault", ["refuse", "stall", "half_open", "stall_midway", "drop"])
async def test_it_fails_as_told(ask, fault: Fault) -> None:
    async with OpenAIAudio(faults=Faults(fault)).serving() as url, client(url, timeout=0.3) as openai:
        with pytest.raises((APIConnectionError, APITimeoutError, TransportError, RemoteProtocolError)):
            await ask(openai)


@pytest.mark.parametrize(("fault", "size"), [("empty", 0), ("wrong_rate", BYTES // 2)])
async def test_speech_is_empty_or_at_half_the_rate_as_told(fault: Fault, size: int) -> None:
    async with OpenAIAudio(faults=Faults(fault)).serving() as url, client(url) as openai:
        assert len(await speech(openai)) == size


async def test_garbage_is_no_audio() -> None:
    async with OpenAIAudio(faults=Faults("garbage")).serving() as url, client(url) as openai:
        assert (await speech(openai)).startswith(b"<html>")


async def test_an_empty_transcript_has_no_words() -> None:
    async with OpenAIAudio(transcripts=["words"], faults=Faults("empty")).serving() as url, client(url) as openai:
        assert await transcript(openai) == ""


def test_a_tone_can_be_heard() -> None:
    assert max(spoken("a", voice="marin")) > 0
