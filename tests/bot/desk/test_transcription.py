"""Speech in, events out, through the embedded recogniser's service."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from pipecat.frames.frames import (
    Frame,
    InputAudioRawFrame,
    InterimTranscriptionFrame,
    TranscriptionFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from bot.desk import transcription as module
from bot.desk.errors import DeskRequestError, DeskUnavailableError
from bot.desk.line import Line
from bot.desk.requests import RATE_HZ
from bot.desk.transcription import LIMITS, Transcriber
from bot.speech.errors import SpeechError, SpeechUnavailableError
from bot.speech.fake import FakeSpeech
from bot.speech.recognition import Recognition, Word
from bot.speech.stt import EmbeddedSTTService
from bot.turns import TurnModels
from processors.failover.providers import Providers
from processors.failover.stt import KeptSTT

RECORDINGS = Path(__file__).parents[2] / "fixtures" / "speech" / "slt"
MODELS = TurnModels.load()
TAKES = (TranscriptionFrame, InterimTranscriptionFrame)
FIRST = Recognition("is it open", 0.9, (Word("is", 0.5, 0.7, 0.9), Word("open", 0.7, 1.1, 0.8)))
SECOND = Recognition("on sundays", 0.7, (Word("sundays", 0.4, 0.9, 0.7),))
DOUBTFUL = Recognition("the pool", 0.1, (Word("the", 0.4, 0.5, 0.1),))


def recording(name: str) -> bytes:
    return soundfile.read(RECORDINGS / f"{name}.flac", dtype="int16")[0].tobytes()


def silence(secs: float) -> bytes:
    return bytes(2 * round(secs * RATE_HZ))


async def sent(*audio: bytes, piece: int = 3001) -> AsyncIterator[bytes]:
    whole = b"".join(audio)
    for at in range(0, len(whole), piece):
        yield whole[at : at + piece]


@asynccontextmanager
async def line_of(service: FrameProcessor) -> AsyncIterator[Line]:
    line = Line([service], takes=TAKES)
    await line.start()
    try:
        yield line
    finally:
        await line.end()


async def events(*audio: bytes, recognitions: Sequence[Recognition | SpeechError]) -> list[dict[str, Any]]:
    """What comes of the audio, with a recogniser that understands these."""
    async with line_of(EmbeddedSTTService(client=FakeSpeech(recognitions=recognitions))) as line:
        transcriber = Transcriber(models=MODELS, confidence=0.7)
        return [event async for event in transcriber.transcribe(sent(*audio), line)]


async def test_each_stretch_of_speech_is_told_as_it_begins_and_when_it_is_over():
    told = await events(recording("s01"), silence(1.5), recording("s02"), recognitions=[FIRST, SECOND])
    assert [event["type"] for event in told] == ["ready", "speech", "final", "speech", "final", "end"]
    assert [event["text"] for event in told if event["type"] == "final"] == ["is it open", "on sundays"]


async def test_times_count_from_the_first_sample_of_the_audio():
    lead, speech = 2.0, recording("s01")
    (final,) = [e for e in await events(silence(lead), speech, recognitions=[FIRST]) if e["type"] == "final"]
    # Each recording has 0.3 s of silence before the speech, and some of it is heard.
    assert final["start"] == pytest.approx(lead + 0.1, abs=0.3)
    assert final["words"][0]["start"] == pytest.approx(final["start"] + 0.5)
    assert final["end"] <= lead + len(speech) / 2 / RATE_HZ + 0.04


async def test_the_recogniser_hears_the_speech_and_not_the_silence_around_it():
    speech = FakeSpeech(recognitions=[FIRST])
    async with line_of(EmbeddedSTTService(client=speech)) as line:
        audio = sent(silence(5), recording("s01"), silence(5))
        told = [e async for e in Transcriber(models=MODELS, confidence=0.7).transcribe(audio, line)]
    (final,) = [e for e in told if e["type"] == "final"]
    ((heard, rate),) = speech.heard
    assert rate == RATE_HZ
    assert len(heard) / 2 / RATE_HZ == pytest.approx(final["end"] - final["start"], abs=0.001)
    assert len(heard) < len(recording("s01")) + 2 * RATE_HZ


async def test_a_stretch_that_was_not_understood_has_its_confidence_and_no_words():
    (final,) = [e for e in await events(recording("s01"), recognitions=[DOUBTFUL]) if e["type"] == "final"]
    assert (final["text"], final["words"], final["confidence"]) == ("", [], 0.1)


async def test_words_are_null_where_the_recogniser_tells_no_times():
    untimed = Recognition("is it open", 0.9, None)
    (final,) = [e for e in await events(recording("s01"), recognitions=[untimed]) if e["type"] == "final"]
    assert (final["text"], final["words"], final["confidence"]) == ("is it open", None, 0.9)


async def test_silence_has_nothing_but_its_length():
    told = await events(silence(2), recognitions=[])
    assert told == [{"type": "ready"}, {"type": "end", "duration": 2.0}]


async def test_no_audio_at_all_is_refused():
    with pytest.raises(DeskRequestError, match="WAV, FLAC"):
        await events(b"", recognitions=[])


async def test_a_recogniser_that_fails_is_told():
    with pytest.raises(DeskUnavailableError, match="recogniser failed"):
        await events(recording("s01"), recognitions=[SpeechUnavailableError("gone")])


async def test_where_a_recogniser_fails_the_next_hears_the_stretch_again():
    failing = FakeSpeech(recognitions=[SpeechUnavailableError("gone"), SECOND])
    other = FakeSpeech(recognitions=[FIRST])
    services = {name: EmbeddedSTTService(client=speech) for name, speech in {"a": failing, "b": other}.items()}
    providers = Providers("stt", ["a", "b"], clock=time.monotonic, report=lambda _event: None)
    async with line_of(KeptSTT(services, providers=providers, limits=LIMITS)) as line:
        audio = sent(recording("s01"), silence(1.5), recording("s02"))
        told = [e async for e in Transcriber(models=MODELS, confidence=0.7).transcribe(audio, line)]
    assert [event["text"] for event in told if event["type"] == "final"] == ["is it open", "on sundays"]
    assert len(other.heard[0][0]) == len(failing.heard[0][0])


class Interims(FrameProcessor):
    """A recogniser that says what it has heard so far, and answers in two parts that it does not mark as the last."""

    def __init__(self) -> None:
        super().__init__()
        self._windows = 0

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, InputAudioRawFrame):
            self._windows += 1
            if self._windows == 20:
                await self.push_frame(TranscriptionFrame("is it", "", ""))
            elif self._windows == 25:
                await self.push_frame(InterimTranscriptionFrame("open", "", ""))
        elif isinstance(frame, VADUserStoppedSpeakingFrame):
            await self.push_frame(TranscriptionFrame("open", "", ""))
        await self.push_frame(frame, direction)


async def test_a_recogniser_that_tells_more_is_told_as_it_does(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "SETTLED_SECS", 0.05)
    async with line_of(Interims()) as line:
        told = [e async for e in Transcriber(models=MODELS, confidence=0.7).transcribe(sent(recording("q18")), line)]
    assert [e["text"] for e in told if e["type"] == "interim"] == ["open"]
    (final,) = [e for e in told if e["type"] == "final"]
    assert (final["text"], final["words"], final["confidence"]) == ("is it open", None, None)


async def test_audio_in_pieces_of_any_size_comes_to_the_same():
    samples = np.frombuffer(recording("s01"), np.int16)
    for piece in (333, 64_000):
        async with line_of(EmbeddedSTTService(client=FakeSpeech(recognitions=[FIRST]))) as line:
            audio = sent(samples.tobytes(), piece=piece)
            told = [e async for e in Transcriber(models=MODELS, confidence=0.7).transcribe(audio, line)]
        assert told[-1] == {"type": "end", "duration": round(len(samples) / RATE_HZ, 3)}
