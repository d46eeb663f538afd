"""A scenario's voice and ears."""

import asyncio
from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest
from pipecat.evals.services import stt_service_from_config, tts_service_from_config
from pipecat.frames.frames import ErrorFrame, TranscriptionFrame, TTSAudioRawFrame

from bot.speech.errors import SpeechUnavailableError
from evals.caller.audio import Pcm
from evals.caller.errors import CallError
from evals.scenarios import speech
from evals.scenarios.speech import CallerEars, CallerVoice, best_engine


class ScriptedSpeaker:
    """Takes 0.1 s for each text, and can't say everything."""

    async def speak(self, text: str) -> Pcm:
        if not text.isascii():
            raise CallError("no")
        return Pcm(np.full(2_205, 1_000, np.int16), 22_050)


class ScriptedPool:
    """Understands one thing, or fails."""

    def __init__(self, text: str | None) -> None:
        self.text = text

    async def recognise(self, pcm: bytes, *, sample_rate: int) -> dict[str, str]:
        if self.text is None:
            raise SpeechUnavailableError("gone")
        return {"text": self.text}


def test_a_scenarios_file_names_them():
    inner = tts_service_from_config({"factory": "evals.scenarios.speech.voice", "service": "flite", "voice": "rms"})
    assert isinstance(inner._inner, CallerVoice)
    assert isinstance(stt_service_from_config({"factory": "evals.scenarios.speech.ears"}), CallerEars)


async def test_a_voice_speaks_at_the_harness_rate():
    voice = CallerVoice(ScriptedSpeaker())
    voice._sample_rate = 16_000
    (said,) = [frame async for frame in voice.run_tts("Hello.", "c")]
    assert isinstance(said, TTSAudioRawFrame)
    assert (len(said.audio), said.sample_rate) == (3_200, 16_000)


async def test_a_voice_that_fails_says_so_to_the_harness():
    (said,) = [frame async for frame in CallerVoice(ScriptedSpeaker()).run_tts("é", "c")]
    assert isinstance(said, ErrorFrame)


async def heard(understood: str | None) -> list[object]:
    ears = CallerEars("pocketsphinx")
    ears._pool = ScriptedPool(understood)  # pyright: ignore[reportAttributeAccessIssue]
    ears._loading = asyncio.create_task(asyncio.sleep(0))
    return [frame async for frame in ears.run_stt(bytes(640))]


async def test_ears_tell_what_was_understood():
    (told,) = await heard("at nine")
    assert isinstance(told, TranscriptionFrame)
    assert told.text == "at nine"


async def test_ears_that_hear_no_words_tell_nothing():
    assert await heard(" ") == []


async def test_ears_that_fail_say_so_to_the_harness():
    (told,) = await heard(None)
    assert isinstance(told, ErrorFrame)


def test_a_host_without_moonshine_hears_by_pocketsphinx(monkeypatch: pytest.MonkeyPatch):
    def missing(name: str) -> None:
        raise PackageNotFoundError(name)

    assert best_engine() == "moonshine"
    monkeypatch.setattr(speech, "distribution", missing)
    assert best_engine() == "pocketsphinx"
