"""What is kept of what a harness and a bot send each other."""

import asyncio
import base64
import json
from typing import Any, cast

import numpy as np
import pytest
from pipecat.evals.script import EvalScriptScenario, EvalScriptTurn
from pipecat.evals.script_session import EvalScriptSession
from pipecat.frames.frames import OutputAudioRawFrame

from evals.scenarios.overhearing import Message, Overheard, Side
from evals.scenarios.utterances import Mouth

LOUD = b"\xe8\x03"


def scenario() -> EvalScriptScenario:
    return EvalScriptScenario(name="s", turns=[EvalScriptTurn(user="Hello.")], bot_audio=True, transcriber={})


class Listening:
    """A session that is overheard, and its ends of the wire."""

    def __init__(self, mouth: Mouth | None = None) -> None:
        session = EvalScriptSession(scenario(), "ws://nowhere")
        self.now_secs = 0.0
        began = session._stream._t0
        self.overheard = Overheard(session, clock=lambda: began + self.now_secs, mouth=mouth)
        serializer = session._client._transport()._params.serializer
        assert serializer is not None
        self.serializer = serializer

    async def comes(self, message: Any, *, at_secs: float = 0.0) -> Any:
        self.now_secs = at_secs
        return await self.serializer.deserialize(message if isinstance(message, str) else json.dumps(message))


def sound(samples: int) -> dict[str, Any]:
    audio = base64.b64encode(LOUD * samples).decode()
    return {"label": "rtvi-ai", "type": "eval-bot-audio", "data": {"audio": audio, "sampleRate": 16_000}}


def frame(samples: int, rate_hz: int = 16_000) -> OutputAudioRawFrame:
    return OutputAudioRawFrame(audio=LOUD * samples, sample_rate=rate_hz, num_channels=1)


async def test_messages_that_the_harness_knows_nothing_of_are_kept_with_their_time():
    listening = Listening()
    message = {"label": "rtvi-ai", "type": "server-message", "data": {"type": "gap"}}
    assert await listening.comes(message, at_secs=1.25) is None
    assert listening.overheard.messages == [Message(1250.0, "server-message", {"type": "gap"})]


@pytest.mark.parametrize("message", ["no json", "[]", '"text"'])
async def test_what_is_no_message_is_passed_over(message: str):
    listening = Listening()
    await listening.comes(message)
    assert listening.overheard.messages == []


async def test_a_message_without_data_is_kept():
    listening = Listening()
    assert await listening.comes({"label": "rtvi-ai", "type": "bot-llm-started"}) is not None
    assert listening.overheard.messages == [Message(0.0, "bot-llm-started", {})]


async def test_the_bot_is_recorded_as_it_was_sent_and_not_as_the_harness_resamples_it():
    listening = Listening()
    piece = sound(480)
    piece["data"]["sampleRate"] = 24_000
    for number in range(3):
        await listening.comes(piece, at_secs=0.5 + 0.02 * number)
    recording = await asyncio.to_thread(listening.overheard.recording)
    assert recording.bot.size == 48 * 560


async def test_sound_is_recorded_on_both_sides_and_goes_on():
    listening = Listening()
    assert (await listening.comes(sound(1600), at_secs=0.5)).audio == LOUD * 1600
    listening.now_secs = 0.25
    assert await listening.serializer.serialize(frame(800)) is not None
    recording = await asyncio.to_thread(listening.overheard.recording)
    assert listening.overheard.messages == []
    assert (np.flatnonzero(recording.bot)[0], recording.bot.size) == (24_000, 28_800)
    assert (np.flatnonzero(recording.caller)[0], recording.caller.size) == (9_600, 12_000)


def places(*frames: tuple[float, OutputAudioRawFrame]) -> list[tuple[int, int]]:
    """Where the stretches begin and how long they are, in milliseconds."""
    side = Side()
    for at_secs, each in frames:
        side.add(each.audio, each.sample_rate, at_secs=at_secs)
    return [(round(position / 48), round(samples.size / 48)) for position, samples in side.placed()]


def test_frames_that_jitter_follow_each_other_without_a_gap():
    assert places((1.0, frame(640)), (1.09, frame(640)), (1.10, frame(640))) == [(1000, 120)]


def test_a_pause_is_kept():
    assert places((1.0, frame(640)), (1.5, frame(640))) == [(1000, 40), (1500, 40)]


def test_a_burst_is_laid_out_as_it_is_played():
    assert places((1.0, frame(16_000)), (1.0, frame(16_000)), (2.5, frame(640))) == [(1000, 2040)]


def test_silence_makes_up_for_frames_that_came_early():
    silence = OutputAudioRawFrame(audio=bytes(2 * 640), sample_rate=16_000, num_channels=1)
    assert places((1.0, silence), (1.0, silence), (1.04, silence), (1.08, frame(640))) == [(1000, 120)]


def test_another_rate_begins_a_stretch_behind_what_came_before():
    assert places((1.0, frame(16_000)), (1.5, frame(24_000, 24_000))) == [(1000, 1000), (2000, 1000)]


class PlayedMouth:
    """Says something else than it sends, and holds back what comes second."""

    def __init__(self) -> None:
        self.arriving = [LOUD * 640, b""]

    def next(self, cue: bytes) -> tuple[bytes, bytes]:
        return b"\x01\x00" * 640, self.arriving.pop(0)


async def test_what_a_mouth_says_is_recorded_and_what_arrives_of_it_is_sent():
    listening = Listening(cast(Mouth, PlayedMouth()))
    wire = [await listening.serializer.serialize(frame(640)) for _ in range(2)]
    assert base64.b64decode(json.loads(wire[0] or "")["data"]["base64Audio"]) == LOUD * 640
    assert wire[1] is None
    spoken, sent = (listening.overheard.recording(as_sent=as_sent) for as_sent in (False, True))
    assert (spoken.caller.size, sent.caller.size) == (2 * 1920, 1920)
    assert spoken.caller.max() < 10 < sent.caller.max()
