"""The voices of all vendors with a cache, each against a server in its vendor's place."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import pytest
from pipecat.frames.frames import TTSSpeakFrame
from pydantic import SecretStr

from bot.providers.azure import AzureTTS
from bot.providers.cartesia import CartesiaTTS
from bot.providers.deepgram import DeepgramTTS
from bot.providers.elevenlabs import ElevenLabsTTS
from bot.providers.google import GoogleTTS
from bot.providers.local import PiperTTS
from bot.providers.openai import OpenAITTS
from tests.bot.providers.speaking import Turn, Voice, speaking
from tests.processors.shelf import Shelf
from tests.vendors import azure_speech, deepgram, google_tts, openai_chat
from tests.vendors.azure_speech import AzureSpeech
from tests.vendors.cartesia import Cartesia
from tests.vendors.deepgram_speak import DeepgramSpeak
from tests.vendors.elevenlabs import ElevenLabs
from tests.vendors.faults import Fault, Faults
from tests.vendors.google_cloud import account_file
from tests.vendors.openai_audio import OpenAIAudio
from tests.vendors.piper import Piper

GREETING = "Hello, this is Jarvis. How can I help?"
OPENS, CLOSES = "The pool opens at nine.", "It closes at ten."


class Vendor(Protocol):
    """A server in a vendor's place."""

    @property
    def asked(self) -> Sequence[Any]: ...
    def serving(self) -> AbstractAsyncContextManager[str]: ...


@dataclass
class Case:
    """A vendor, its voice at a URL, and whether that repeats sentences of answers."""

    vendor: Callable[[], Vendor]
    voice: Callable[[str, Path], Voice]
    sentences: bool = False


CASES = {
    "cartesia": Case(
        Cartesia, lambda url, _: CartesiaTTS(api_key=SecretStr(Cartesia.KEY), base_url=url, silence_secs=0.3)
    ),
    "elevenlabs": Case(
        ElevenLabs, lambda url, _: ElevenLabsTTS(api_key=SecretStr(ElevenLabs.KEY), base_url=url, silence_secs=0.3)
    ),
    "deepgram": Case(DeepgramSpeak, lambda url, _: DeepgramTTS(api_key=SecretStr(deepgram.KEY), base_url=url)),
    "azure": Case(AzureSpeech, lambda url, _: AzureTTS(api_key=SecretStr(azure_speech.KEY), endpoint=url)),
    "openai": Case(OpenAIAudio, lambda url, _: OpenAITTS(api_key=SecretStr(openai_chat.KEY), base_url=url), True),
    "google": Case(google_tts.GoogleTTS, lambda url, at: GoogleTTS(credentials=account_file(at), endpoint=url), True),
    "piper": Case(Piper, lambda url, _: PiperTTS(base_url=url), True),
}


async def said(voice: Voice, shelf: Shelf, vendor: Vendor) -> tuple[Turn, Turn, list[int]]:
    """A call's greeting and its answer, and how often the vendor was asked for each."""
    counts = [len(vendor.asked)]
    async with speaking(voice, cache=shelf.cache) as speaker:
        turns = []
        for saying in (speaker.speak(GREETING), speaker.turn(OPENS, CLOSES)):
            turns.append(await saying)
            counts.append(len(vendor.asked))
    return turns[0], turns[1], [after - before for before, after in pairwise(counts)]


@pytest.mark.parametrize("name", CASES)
async def test_what_one_call_had_said_another_hears_from_the_cache(name: str, tmp_path: Path):
    case, shelf = CASES[name], Shelf(phrases={GREETING: "greeting"})
    vendor = case.vendor()
    async with vendor.serving() as url:
        voice = case.voice(url, tmp_path)
        greeting, answer, asked = await said(voice, shelf, vendor)
        again, answer_again, asked_again = await said(voice, shelf, vendor)
    assert min(asked) > 0
    assert (asked_again[0], asked_again[1] == 0) == (0, case.sentences)
    assert again.audio == greeting.audio
    assert again.words == greeting.words
    assert len(answer_again.audio) == len(answer.audio) > 0
    assert answer_again.words == answer.words
    greeted = [result for kind, result in shelf.results if kind == "greeting"]
    assert greeted == ["miss", "hit"]


@pytest.mark.parametrize("fault", ["rate_limited", "stall_midway", "drop", "wrong_rate"])
async def test_of_a_phrase_that_did_not_come_whole_nothing_is_kept(fault: Fault, tmp_path: Path):
    vendor, shelf = Cartesia(faults=Faults(fault=fault)), Shelf()
    async with vendor.serving() as url, speaking(CASES["cartesia"].voice(url, tmp_path), cache=shelf.cache) as speaker:
        await speaker.line.put(TTSSpeakFrame(GREETING))
        await speaker.turn(OPENS)
        vendor.hang_up()
    assert shelf.takes == {}
