"""A voice that is held goes on where it was held, and its words come when they are heard."""

import asyncio

from pipecat.frames.frames import (
    BotStoppedSpeakingFrame,
    Frame,
    InterruptionFrame,
    TTSTextFrame,
)
from pipecat.tests.utils import SleepFrame
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.base_transport import TransportParams
from pipecat.utils.text.base_text_aggregator import TextType

from processors.echo import JustSaid
from processors.held_voice import LONGEST_HOLD_SECS, HeldVoice, HoldVoiceFrame, ResumeVoiceFrame, VoiceGate
from tests.patient import run_test
from tests.virtual_time import in_virtual_time

PIECE = b"\x01\x00"


def word(text: str) -> TTSTextFrame:
    frame = TTSTextFrame(text, TextType.WORD)
    frame.pts = 1
    return frame


def held_voice() -> tuple[HeldVoice, JustSaid]:
    just_said = JustSaid()
    output = BaseOutputTransport(TransportParams(audio_out_enabled=True))
    return HeldVoice(output=output, just_said=just_said), just_said


async def came(*frames: Frame) -> list[str]:
    voice, _ = held_voice()
    down, _ = await run_test(voice, frames_to_send=frames)
    return [frame.text if isinstance(frame, TTSTextFrame) else type(frame).__name__ for frame in down]


def test_it_is_the_filter_of_the_transport_whose_voice_it_holds():
    output = BaseOutputTransport(TransportParams(audio_out_enabled=True))
    voice = HeldVoice(output=output, just_said=JustSaid())
    assert output._params.audio_out_filter is voice.gate


async def test_sound_passes_as_it_is():
    assert await VoiceGate().filter(PIECE) == PIECE


async def test_held_sound_waits_and_then_passes():
    gate = VoiceGate()
    gate.hold()
    waiting = asyncio.ensure_future(gate.filter(PIECE))
    await asyncio.sleep(0)
    assert not waiting.done()
    gate.release()
    assert await waiting == PIECE


async def test_what_waits_when_the_voice_is_interrupted_is_not_heard_and_what_comes_then_is():
    gate = VoiceGate()
    gate.hold()
    waiting = asyncio.ensure_future(gate.filter(PIECE))
    await asyncio.sleep(0)
    gate.release(drop=True)
    gate.release()
    assert (await waiting, await gate.filter(PIECE)) == (b"", PIECE)


@in_virtual_time
async def test_a_voice_that_nobody_lets_go_on_does_so_by_itself():
    gate, loop = VoiceGate(), asyncio.get_running_loop()
    gate.hold()
    before = loop.time()
    assert await gate.filter(PIECE) == PIECE
    assert loop.time() - before >= LONGEST_HOLD_SECS
    assert not gate.held


async def test_words_of_a_voice_that_was_not_held_pass_at_once():
    assert await came(word("We"), word("open")) == ["We", "open"]


async def test_a_word_that_is_not_heard_because_the_voice_is_held_comes_after_it_goes_on():
    pause = SleepFrame(sleep=0.02)
    after = SleepFrame(sleep=0.1)
    frames = (word("We"), HoldVoiceFrame(), pause, word("open"), pause, ResumeVoiceFrame(), InterruptionFrame(), after)
    assert await came(*frames) == ["We", "InterruptionFrame"]
    frames = (word("We"), HoldVoiceFrame(), pause, word("open"), pause, ResumeVoiceFrame(), after, pause)
    assert await came(*frames) == ["We", "open"]


async def test_a_word_that_the_interruption_cut_off_is_never_said():
    pause = SleepFrame(sleep=0.02)
    frames = (word("We"), pause, HoldVoiceFrame(), pause, word("open"), pause, InterruptionFrame(), pause)
    assert await came(*frames, BotStoppedSpeakingFrame()) == ["We", "InterruptionFrame", "BotStoppedSpeakingFrame"]


async def test_what_is_heard_of_the_bot_is_remembered_for_its_echo():
    voice, just_said = held_voice()
    await run_test(voice, frames_to_send=[word("Nine"), word("thirty")])
    assert just_said.echoes("nine thirty", since=0, until=float("inf"))
