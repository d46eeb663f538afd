"""The sentence for telephone callers whom no line is free for."""

import asyncio
import io
import wave
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from bot.speech.client import SpeechAudio, SpeechClient, SpeechWord
from bot.speech.errors import SpeechError, SpeechRequestError, SpeechUnavailableError
from bot.speech.fake import FakeSpeech
from server.errors import Problem
from server.ingress.busy import SENTENCE, BusySentence

PCM = bytes(range(200))
SPOKEN = [SpeechAudio(PCM[:80]), SpeechWord("All", 0.0), SpeechAudio(PCM[80:])]


class UnhurriedSpeech(FakeSpeech):
    """Lets others go first before it speaks."""

    async def synthesize(self, text: str, **voice: Any) -> AsyncGenerator[SpeechAudio | SpeechWord]:
        await asyncio.sleep(0)
        async for part in super().synthesize(text, **voice):
            yield part


class SilentSpeech(FakeSpeech):
    """Takes the text and never says a word of it."""

    async def synthesize(self, text: str, **voice: Any) -> AsyncGenerator[SpeechAudio | SpeechWord]:
        await asyncio.Event().wait()
        async for part in super().synthesize(text, **voice):
            yield part


async def refused(busy: BusySentence) -> Problem:
    with pytest.raises(Problem) as problem:
        await busy.wav()
    return problem.value


async def test_it_is_a_wav_that_telephony_servers_play():
    with wave.open(io.BytesIO(await BusySentence(speech=FakeSpeech(spoken=[SPOKEN])).wav())) as file:
        shape = file.getnchannels(), file.getsampwidth(), file.getframerate()
        assert (shape, file.readframes(1000)) == ((1, 2, 16_000), PCM)


async def test_it_is_spoken_once_however_many_call():
    speech = UnhurriedSpeech(spoken=[SPOKEN])
    busy = BusySentence(speech=speech)
    first, second = await asyncio.gather(busy.wav(), busy.wav())
    assert await busy.wav() == first == second
    assert speech.texts == [SENTENCE]


@pytest.mark.parametrize(
    "broken",
    [
        [SpeechUnavailableError("gone")],
        [SpeechRequestError("no such voice")],
        [SpeechAudio(PCM), SpeechUnavailableError("gone in mid-sentence")],
        [],
    ],
)
async def test_where_the_voice_is_away_callers_are_told_to_try_again(broken: list[SpeechAudio | SpeechError]):
    problem = await refused(BusySentence(speech=FakeSpeech(spoken=[broken])))
    assert (problem.status, problem.retry_after_secs) == (503, 5)


async def test_a_voice_that_says_nothing_is_not_waited_for_for_ever():
    assert (await refused(BusySentence(speech=SilentSpeech(), timeout_secs=0))).status == 503


async def test_it_is_spoken_once_the_voice_is_back():
    busy = BusySentence(speech=FakeSpeech(spoken=[[SpeechUnavailableError("gone")], SPOKEN]))
    await refused(busy)
    assert PCM in await busy.wav()


async def test_a_speech_process_that_is_not_there_is_a_problem_not_an_error(tmp_path: Path):
    client = SpeechClient(tmp_path / "no socket")
    assert (await refused(BusySentence(speech=client))).status == 503
    await client.aclose()
