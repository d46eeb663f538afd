"""What is heard of a cache that takes all voices for one."""

import numpy as np
import pytest
from pipecat.frames.frames import TTSUpdateSettingsFrame
from pydantic import SecretStr

from bot.providers.openai import OpenAITTS
from evals.caller.audio import Pcm
from evals.caller.speaker import at_48khz
from evals.mutants.defects import MUTANTS, place
from evals.scenarios.tones import speaks_as, tone_in
from tests.bot.providers.speaking import speaking
from tests.processors.shelf import Shelf
from tests.vendors.openai_audio import RATE_HZ, OpenAIAudio
from tests.vendors.openai_chat import KEY

VOICES = ("marin", "cedar")


async def heard(text: str) -> list[str]:
    """Who says a text that each voice is to say, one after the other, in a call with a cache."""
    found = []
    async with OpenAIAudio().serving() as url:
        tts = OpenAITTS(api_key=SecretStr(KEY), base_url=url)
        async with speaking(tts, cache=Shelf().cache) as speaker:
            for voice in VOICES:
                await speaker.line.put(TTSUpdateSettingsFrame(delta=tts.manner(voice=voice, speed=1.0)))
                audio = np.frombuffer((await speaker.turn(text)).audio, np.int16)
                tone_hz = tone_in(at_48khz(Pcm(audio, RATE_HZ)))
                found += [name for name in VOICES if tone_hz is not None and speaks_as(name, tone_hz)]
    return found


async def test_each_voice_is_heard_with_a_whole_cache():
    assert await heard("The pool opens at nine.") == ["marin", "cedar"]


async def test_the_first_voice_is_heard_again_with_a_broken_one(monkeypatch: pytest.MonkeyPatch):
    mutant = MUTANTS["cache-of-another-voice"]
    owner, name = place(mutant.target)
    monkeypatch.setattr(owner, name, mutant.broken(getattr(owner, name)))
    assert await heard("The pool opens at nine.") == ["marin", "marin"]
