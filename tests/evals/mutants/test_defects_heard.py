"""What calls make of defects that are about what is heard."""

from typing import cast

import numpy as np
import pytest
from pipecat.frames.frames import (
    InterruptionFrame,
    LLMFullResponseStartFrame,
    StartFrame,
    TTSTextFrame,
    TTSUpdateSettingsFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMAssistantAggregator
from pipecat.tests.utils import SleepFrame
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.base_transport import TransportParams
from pydantic import SecretStr

from bot.providers.openai import OpenAITTS
from evals.caller.audio import Pcm
from evals.caller.speaker import at_48khz
from evals.mutants.defects import MUTANTS, place
from evals.scenarios.tones import speaks_as, tone_in
from tests.bot.providers.speaking import speaking
from tests.patient import run_test
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


class Loudspeaker(BaseOutputTransport):
    """Is there at once."""

    async def start(self, frame: StartFrame) -> None:
        await super().start(frame)
        await self.set_transport_ready(frame)


async def kept(text: str) -> list[object]:
    """What the context has of an answer that is cut off a moment after its first word, of ten seconds to come."""
    output, context = Loudspeaker(TransportParams(audio_out_enabled=True)), LLMContext()
    first, *later = (TTSTextFrame(each, text_type="word") for each in text.split())
    first.pts = 1
    for frame in later:
        frame.pts = round(10e9)
    answer = [LLMFullResponseStartFrame(), first, *later, SleepFrame(0.1), InterruptionFrame()]
    await run_test(Pipeline([output, LLMAssistantAggregator(context)]), frames_to_send=answer)
    return [cast(dict[str, object], message)["content"] for message in context.messages]


async def test_the_context_of_a_whole_bot_has_what_was_heard():
    assert await kept("We open at nine.") == ["We"]


async def test_the_context_of_a_broken_one_has_what_was_cut_off(monkeypatch: pytest.MonkeyPatch):
    mutant = MUTANTS["unheard-words-kept"]
    owner, name = place(mutant.target)
    monkeypatch.setattr(owner, name, mutant.broken(getattr(owner, name)))
    assert await kept("We open at nine.") == ["We open at nine."]


async def test_each_voice_is_heard_with_a_whole_cache():
    assert await heard("The pool opens at nine.") == ["marin", "cedar"]


async def test_the_first_voice_is_heard_again_with_a_broken_one(monkeypatch: pytest.MonkeyPatch):
    mutant = MUTANTS["cache-of-another-voice"]
    owner, name = place(mutant.target)
    monkeypatch.setattr(owner, name, mutant.broken(getattr(owner, name)))
    assert await heard("The pool opens at nine.") == ["marin", "marin"]
