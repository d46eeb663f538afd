"""How long a caller waited, as a number and without a word."""

from typing import Any

from pipecat.frames.frames import BotStartedSpeakingFrame, Frame, VADUserStoppedSpeakingFrame
from pipecat.observers.base_observer import FramePushed
from pipecat.processors.filters.identity_filter import IdentityFilter
from pipecat.processors.frame_processor import FrameDirection

from bot.observers import TurnObserver


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
    assert await reports(stopped(100.2), started(101.0)) == [{"type": "turn", "number": 1, "latency_secs": 1.0}]


async def test_a_caller_who_goes_on_after_a_pause_waits_from_the_last_stop():
    assert [r["latency_secs"] for r in await reports(stopped(100.2), stopped(105.2), started(105.5))] == [0.5]


async def test_turns_are_numbered():
    told = await reports(stopped(1.2), started(2.0), stopped(3.2), started(4.0))
    assert [r["number"] for r in told] == [1, 2]


async def test_the_greeting_is_no_turn():
    assert await reports(started(1.0)) == []


async def test_an_answer_that_begins_again_is_counted_once():
    assert len(await reports(stopped(1.2), started(2.0), started(3.0))) == 1
