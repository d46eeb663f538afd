"""Deepgram: what its services are built with, and Aura's against a server in Deepgram's place."""

import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pipecat.frames.frames import (
    ErrorFrame,
    Frame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSAudioRawFrame,
    TTSStoppedFrame,
    TTSUpdateSettingsFrame,
)
from pipecat.services.deepgram.tts import DeepgramTTSService
from pipecat.utils.errors import ErrorCategory
from pydantic import SecretStr, TypeAdapter, ValidationError

from bot.desk.line import Line
from bot.providers.deepgram import DeepgramFluxSTT, DeepgramSTT, DeepgramTTS
from bot.providers.stt import STTProvider
from bot.providers.tts import TTSProvider
from tests.vendors.deepgram import KEY
from tests.vendors.deepgram_speak import SECS_PER_CHARACTER, DeepgramSpeak
from tests.vendors.faults import Fault, Faults

SECRET = SecretStr(KEY)
NOWHERE = Path("/nowhere")
RATE_HZ = 24_000
SOON_SECS = 10.0
TEXT = "The pool opens at seven."
TEXT_SECS = len(TEXT) * SECS_PER_CHARACTER


def test_the_providers_are_chosen_by_their_names():
    stt, tts = TypeAdapter(STTProvider), TypeAdapter(TTSProvider)
    assert isinstance(stt.validate_python({"provider": "deepgram", "api_key": KEY}), DeepgramSTT)
    assert isinstance(stt.validate_python({"provider": "deepgram_flux", "api_key": KEY}), DeepgramFluxSTT)
    assert isinstance(tts.validate_python({"provider": "deepgram", "api_key": KEY}), DeepgramTTS)


@pytest.mark.parametrize("provider", [DeepgramSTT, DeepgramFluxSTT, DeepgramTTS])
def test_what_a_provider_preloads_can_be_imported(provider: type[DeepgramSTT | DeepgramFluxSTT | DeepgramTTS]):
    assert [importlib.import_module(name).__name__ for name in provider.preload] == list(provider.preload)


@pytest.mark.parametrize(
    "fields", [{}, {"api_key": SECRET, "base_url": "api.deepgram.com"}, {"api_key": SECRET, "base_url": "wss://a?b"}]
)
def test_a_provider_without_its_key_or_with_half_a_url_is_refused(fields: dict[str, Any]):
    with pytest.raises(ValidationError):
        DeepgramTTS(**fields)


@pytest.mark.parametrize(
    ("base_url", "place"),
    [
        ("https://api.eu.deepgram.com/", "wss://api.eu.deepgram.com"),
        ("wss://api.deepgram.com", "wss://api.deepgram.com"),
        ("http://10.0.0.8:8080", "ws://10.0.0.8:8080"),
        ("ws://10.0.0.8:8080/speech", "ws://10.0.0.8:8080/speech"),
    ],
)
def test_a_server_is_given_by_one_url_for_all_three(base_url: str, place: str):
    assert DeepgramTTS(api_key=SECRET, base_url=base_url)._sockets_url == place


@pytest.mark.parametrize(
    ("voice", "speed", "manner"),
    [
        (None, 1.0, ("aura-2-thalia-en", None)),
        ("aura-2-zeus-en", 1.2, ("aura-2-zeus-en", 1.2)),
        (None, 0.5, ("aura-2-thalia-en", 0.7)),
        (None, 2.0, ("aura-2-thalia-en", 1.5)),
    ],
)
def test_a_text_is_spoken_as_fast_as_aura_can(voice: str | None, speed: float, manner: tuple[str, float | None]):
    settings = DeepgramTTS(api_key=SECRET).manner(voice=voice, speed=speed)
    assert isinstance(settings, DeepgramTTSService.Settings)
    assert (settings.voice, settings.speed) == manner


@asynccontextmanager
async def speaking(server: DeepgramSpeak, **fields: Any) -> AsyncIterator[tuple[Line, DeepgramTTS]]:
    async with server.serving() as url:
        provider = DeepgramTTS(**{"api_key": SECRET, "base_url": url, **fields})
        line = Line(
            [provider.build(speech_socket=NOWHERE)], takes=(TTSAudioRawFrame, TTSStoppedFrame, LLMFullResponseEndFrame)
        )
        await line.start()
        try:
            yield line, provider
        finally:
            await line.end()


async def say(line: Line, text: str = TEXT) -> None:
    await line.put(LLMFullResponseStartFrame(), LLMTextFrame(text), LLMFullResponseEndFrame())


async def until(line: Line, *kinds: type[Frame]) -> list[Frame]:
    """What comes to the first frame of these kinds."""
    frames = [await line.next(timeout_secs=SOON_SECS)]
    while not isinstance(frames[-1], kinds):
        frames.append(await line.next(timeout_secs=SOON_SECS))
    return frames


def seconds(frames: list[Frame]) -> float:
    return sum(len(frame.audio) / 2 / frame.sample_rate for frame in frames if isinstance(frame, TTSAudioRawFrame))


async def test_a_text_is_spoken_whole():
    async with speaking(DeepgramSpeak()) as (line, _):
        await say(line)
        frames = await until(line, TTSStoppedFrame)
    assert seconds(frames) == pytest.approx(TEXT_SECS, abs=0.01)
    assert {frame.sample_rate for frame in frames if isinstance(frame, TTSAudioRawFrame)} == {RATE_HZ}


async def test_the_voice_that_was_set_speaks():
    server = DeepgramSpeak()
    async with speaking(server, voice="aura-2-zeus-en") as (line, _):
        await say(line)
        await until(line, TTSStoppedFrame)
    query = {"model": "aura-2-zeus-en", "encoding": "linear16", "sample_rate": "24000"}
    assert server.connections == [query]


async def test_one_text_can_be_spoken_by_another_voice_and_faster():
    server = DeepgramSpeak()
    async with speaking(server) as (line, provider):
        await line.put(TTSUpdateSettingsFrame(delta=provider.manner(voice="aura-2-zeus-en", speed=1.5)))
        await say(line)
        frames = await until(line, TTSStoppedFrame)
    assert seconds(frames) == pytest.approx(TEXT_SECS / 1.5, abs=0.01)
    assert (server.connections[-1]["model"], server.connections[-1]["speed"]) == ("aura-2-zeus-en", "1.5")


async def test_an_interruption_clears_what_was_still_to_be_said():
    server = DeepgramSpeak(faults=Faults(pace=1.0))
    async with speaking(server) as (line, _):
        await say(line)
        await until(line, TTSAudioRawFrame)
        await line.put(InterruptionFrame())
        await line.rest()
        await say(line, "Yes?")
        frames = await until(line, TTSStoppedFrame)
    assert seconds(frames) == pytest.approx(4 * SECS_PER_CHARACTER, abs=0.11)
    assert [each["type"] for each in server.asked[:5]] == ["Speak", "Flush", "Clear", "Speak", "Flush"]


@pytest.mark.parametrize(
    ("fault", "category", "usable"),
    [
        ("refuse", ErrorCategory.UNKNOWN, True),
        ("unauthorized", ErrorCategory.AUTHENTICATION, False),
        ("rate_limited", ErrorCategory.RATE_LIMIT, True),
        ("server_error", ErrorCategory.SERVER, True),
    ],
)
async def test_a_connection_that_is_not_had_is_told_as_the_text_comes(
    fault: Fault, category: ErrorCategory, usable: bool
):
    async with speaking(DeepgramSpeak(faults=Faults(fault))) as (line, _):
        await say(line)
        error = (await until(line, ErrorFrame))[-1]
    assert isinstance(error, ErrorFrame)
    assert error.processor is not None
    assert (error.category, error.processor.is_usable) == (category, usable)
    assert KEY not in error.error


@pytest.mark.parametrize("fault", ["stall", "empty", "garbage"])
async def test_a_text_without_speech_is_told(fault: Fault):
    async with speaking(DeepgramSpeak(faults=Faults(fault, times=1))) as (line, _):
        await say(line)
        error = (await until(line, ErrorFrame))[-1]
    assert isinstance(error, ErrorFrame)
    assert "no audio" in error.error


async def test_speech_that_ends_midway_is_told_by_nobody():
    async with speaking(DeepgramSpeak(faults=Faults("stall_midway", times=1))) as (line, _):
        await say(line)
        frames = await until(line, LLMFullResponseEndFrame)
        frames += await line.rest()
    assert 0 < seconds(frames) <= TEXT_SECS / 2
    assert not any(isinstance(frame, ErrorFrame | TTSStoppedFrame) for frame in frames)


@pytest.mark.parametrize("fault", ["drop", "half_open"])
async def test_a_connection_that_drops_or_stands_still_is_told_and_made_anew(fault: Fault):
    server = DeepgramSpeak(faults=Faults(fault, times=1))
    async with speaking(server) as (line, _):
        await say(line)
        error = (await until(line, ErrorFrame))[-1]
        await until(line, LLMFullResponseEndFrame)
        await say(line, "Yes?")
        frames = await until(line, LLMFullResponseEndFrame)
    assert isinstance(error, ErrorFrame)
    assert error.category is ErrorCategory.UNKNOWN
    assert seconds(frames) == pytest.approx(4 * SECS_PER_CHARACTER, abs=0.01)
    assert len(server.connections) == 2


async def test_speech_at_another_rate_is_played_as_if_it_were_ours():
    async with speaking(DeepgramSpeak(faults=Faults("wrong_rate"))) as (line, _):
        await say(line)
        assert seconds(await until(line, TTSStoppedFrame)) == pytest.approx(TEXT_SECS / 2, abs=0.01)
