"""A voice whose connection stands still speaks the next text on another."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from bot.providers.cartesia import CartesiaTTS
from bot.providers.deepgram import DeepgramTTS
from bot.providers.elevenlabs import ElevenLabsTTS
from tests.bot.providers.speaking import TIMEOUT_SECS, Voice, speaking
from tests.vendors.cartesia import Cartesia
from tests.vendors.deepgram import KEY
from tests.vendors.deepgram_speak import DeepgramSpeak
from tests.vendors.elevenlabs import ElevenLabs
from tests.vendors.faults import Faults

FIRST, LOST, NEXT = "The pool opens at nine.", "It closes at ten.", "Children come in for half."
VOICES = pytest.mark.parametrize(
    ("vendor", "voice"),
    [
        (Cartesia, lambda url: CartesiaTTS(api_key=SecretStr(Cartesia.KEY), base_url=url, silence_secs=0.3)),
        (ElevenLabs, lambda url: ElevenLabsTTS(api_key=SecretStr(ElevenLabs.KEY), base_url=url, silence_secs=0.3)),
        (DeepgramSpeak, lambda url: DeepgramTTS(api_key=SecretStr(KEY), base_url=url)),
    ],
    ids=["cartesia", "elevenlabs", "deepgram"],
)


@VOICES
async def test_a_connection_that_stands_still_is_given_up_and_the_next_text_is_spoken(
    vendor: Callable[[], Any], voice: Callable[[str], Voice], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("bot.providers.liveness.PONG_SECS", 0.3)
    server = vendor()
    async with server.serving() as url, speaking(voice(url)) as speaker:
        connected = asyncio.Event()
        speaker.service.add_event_handler("on_connected", lambda _service: connected.set())
        await speaker.speak(FIRST)
        server.freeze()
        connected.clear()
        asking = asyncio.create_task(speaker.speak(LOST))
        async with asyncio.timeout(TIMEOUT_SECS):
            await connected.wait()
        asking.cancel()
        assert (await speaker.speak(NEXT)).audio


@VOICES
async def test_one_that_is_made_in_its_place_and_stands_still_is_given_up_as_well(
    vendor: Callable[[], Any], voice: Callable[[str], Voice], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("bot.providers.liveness.PONG_SECS", 0.3)
    monkeypatch.setattr("bot.providers.liveness.ANEW_SECS", 0.3)
    server = vendor()
    async with server.serving() as url, speaking(voice(url)) as speaker:
        await speaker.speak(FIRST)
        server.freeze()
        server.faults = Faults("half_open", times=1)
        asking = asyncio.create_task(speaker.speak(LOST))
        async with asyncio.timeout(TIMEOUT_SECS):
            while _count(server.connections) < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        asking.cancel()
        assert (await speaker.speak(NEXT)).audio


def _count(connections: int | list[Any]) -> int:
    return connections if isinstance(connections, int) else len(connections)


@VOICES
async def test_a_connection_whose_other_end_answers_is_kept(vendor: Callable[[], Any], voice: Callable[[str], Voice]):
    server = vendor()
    async with server.serving() as url, speaking(voice(url)) as speaker:
        lost: list[object] = []
        speaker.service.add_event_handler("on_disconnected", lambda service: lost.append(service))
        for text in (FIRST, NEXT):
            assert (await speaker.speak(text)).audio
        await asyncio.sleep(0.05)
        assert lost == []


@VOICES
async def test_one_that_was_interrupted_while_it_disconnected_is_heard_again(
    vendor: Callable[[], Any], voice: Callable[[str], Voice]
):
    server = vendor()
    async with server.serving() as url, speaking(voice(url)) as speaker:
        service: Any = speaker.service
        service._receive_task.cancel()
        await asyncio.wait({service._receive_task})
        assert (await speaker.speak(FIRST)).audio
