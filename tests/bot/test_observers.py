"""How long a caller waited, as a number and without a word."""

from typing import Any

import pytest
from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    Frame,
    InputAudioRawFrame,
    LLMTextFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSStoppedFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.observers.base_observer import FramePushed
from pipecat.processors.filters.identity_filter import IdentityFilter
from pipecat.processors.frame_processor import FrameDirection

from bot.observers import TurnObserver
from processors.frames import FillerFrame, PassagesFrame

AUDIO = b"\x00\x00"


async def reports(*frames: tuple[float, Frame]) -> list[dict[str, Any]]:
    """What is reported of frames that come at the given times."""
    told: list[dict[str, Any]] = []
    now = 0.0
    observer = TurnObserver(report=told.append, clock=lambda: now)
    processor = IdentityFilter()
    for now, frame in frames:
        await observer.on_push_frame(
            FramePushed(processor, processor, frame, FrameDirection.DOWNSTREAM, timestamp=int(now * 1e9))
        )
    return told


def stopped(at: float, *, stop_secs: float = 0.2) -> tuple[float, Frame]:
    return at, VADUserStoppedSpeakingFrame(stop_secs=stop_secs, timestamp=at)


def started(at: float) -> tuple[float, Frame]:
    return at, BotStartedSpeakingFrame()


async def test_the_wait_runs_from_the_last_voiced_sample_to_the_bots_first_sound():
    told = await reports(stopped(100.2), started(101.0))
    assert told == [{"type": "turn", "number": 1, "latency_secs": 1.0, "stages": {}}]


async def test_a_caller_who_goes_on_after_a_pause_waits_from_the_last_stop():
    assert [r["latency_secs"] for r in await reports(stopped(100.2), stopped(105.2), started(105.5))] == [0.5]


async def test_turns_are_numbered():
    told = await reports(stopped(1.2), started(2.0), stopped(3.2), started(4.0))
    assert [r["number"] for r in told] == [1, 2]


async def test_the_greeting_is_no_turn():
    assert await reports(started(1.0)) == []


async def test_an_answer_that_begins_again_is_counted_once():
    assert len(await reports(stopped(1.2), started(2.0), started(3.0))) == 1


def transcript(at: float) -> tuple[float, Frame]:
    return at, TranscriptionFrame("Do you rent tandems?", "", "")


def answered(end: float) -> list[tuple[float, Frame]]:
    """The frames of an answer, from the end of the turn on."""
    return [
        (end, UserStoppedSpeakingFrame()),
        (end + 0.05, PassagesFrame()),
        (end + 0.25, LLMTextFrame("We do.")),
        (end + 0.3, TTSAudioRawFrame(AUDIO, 24000, 1)),
        (end + 0.32, BotStartedSpeakingFrame()),
    ]


async def test_a_turn_says_where_its_wait_went():
    (told,) = await reports(stopped(100.2), transcript(100.5), *answered(100.6))
    assert told["stages"] == {"transcript": 0.5, "turn_end": 0.1, "retrieval": 0.05, "llm": 0.2, "tts": 0.05}
    assert told["latency_secs"] == pytest.approx(sum(told["stages"].values()), abs=0.05)


async def test_a_transcript_that_came_before_the_vad_was_sure_counts():
    (told,) = await reports(transcript(100.1), stopped(100.2), *answered(100.4))
    assert told["stages"]["transcript"] == pytest.approx(0.1)


async def test_the_stages_of_a_caller_who_went_on_begin_anew():
    pause = [
        stopped(100.2),
        transcript(100.4),
        (100.5, UserStoppedSpeakingFrame()),
        (100.6, UserStartedSpeakingFrame()),
    ]
    (told,) = await reports(*pause, stopped(105.2), transcript(105.5), *answered(105.6))
    assert told["stages"] == {"transcript": 0.5, "turn_end": 0.1, "retrieval": 0.05, "llm": 0.2, "tts": 0.05}


def filler(at: float) -> list[tuple[float, Frame]]:
    """A word or two that are said while the answer is waited for."""
    return [
        (at, FillerFrame("One moment.")),
        (at + 0.1, TTSAudioRawFrame(AUDIO, 24000, 1)),
        (at + 0.15, TTSStoppedFrame()),
        (at + 0.2, BotStartedSpeakingFrame()),
    ]


async def test_a_filler_is_told_and_is_not_the_answer():
    asked = [stopped(100.2), transcript(100.5), (100.6, UserStoppedSpeakingFrame()), (100.65, PassagesFrame())]
    rest = [
        (102.6, LLMTextFrame("We do.")), (102.7, TTSAudioRawFrame(AUDIO, 24000, 1)), (102.7, BotStoppedSpeakingFrame()),
    ]  # fmt: skip
    told, turn = await reports(*asked, *filler(101.2), *rest, started(102.8))
    assert told == {"type": "filler"}
    assert turn["latency_secs"] == pytest.approx(2.8)
    assert turn["stages"] == {"transcript": 0.5, "turn_end": 0.1, "retrieval": 0.05, "llm": 1.95, "tts": 0.1}


async def test_a_filler_that_was_cut_off_before_it_sounded_hides_no_later_answer():
    told = await reports(
        stopped(100.2), (101.2, FillerFrame("One moment.")), (101.3, UserStartedSpeakingFrame()), stopped(103.2),
        *answered(103.6),
    )  # fmt: skip
    assert [each["type"] for each in told] == ["filler", "turn"]
    assert "tts" in told[1]["stages"]


async def test_no_word_is_in_a_report():
    assert "tandems" not in str(await reports(stopped(100.2), transcript(100.5), *answered(100.6)))


async def test_a_caller_who_speaks_while_the_bot_does_interrupts_it_once():
    # Each is pushed both ways through the pipeline, as two frames.
    barge_in = [(2.0, UserStartedSpeakingFrame()), (2.0, UserStartedSpeakingFrame())]
    assert await reports(started(1.0), *barge_in) == [{"type": "interruption"}]


async def test_a_caller_who_waits_for_the_bot_to_end_interrupts_nobody():
    assert await reports(started(1.0), (2.0, BotStoppedSpeakingFrame()), (3.0, UserStartedSpeakingFrame())) == []


async def test_sound_is_none_of_its_business():
    assert await reports((1.0, InputAudioRawFrame(AUDIO, 16000, 1))) == []
