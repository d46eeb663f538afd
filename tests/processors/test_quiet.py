"""A voice is changed when it says nothing."""

import pytest
from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    Frame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSSpeakFrame,
    TTSUpdateSettingsFrame,
)
from pipecat.tests.utils import SleepFrame

from processors.frames import RepeatFrame
from processors.quiet import QuietChanges
from tests.patient import run_test

CHANGE, SPEAK, REPEAT = TTSUpdateSettingsFrame, TTSSpeakFrame, RepeatFrame
BEGINS, TEXT, ENDS = LLMFullResponseStartFrame, LLMTextFrame, LLMFullResponseEndFrame
STARTED, STOPPED, CUT = BotStartedSpeakingFrame, BotStoppedSpeakingFrame, InterruptionFrame
APART_SECS = 0.01


def frame_of(kind: type[Frame], text: str = "We open at nine.") -> Frame:
    return kind(text) if kind in (TEXT, SPEAK, REPEAT) else kind()  # pyright: ignore[reportCallIssue]


async def order(*frames: Frame) -> list[type[Frame]]:
    """The kinds that come out where these go in, one after the other."""
    apart = [each for frame in frames for each in (frame, SleepFrame(sleep=APART_SECS))]
    down, _ = await run_test(QuietChanges(), frames_to_send=apart)
    return [type(frame) for frame in down]


@pytest.mark.parametrize(
    ("before", "meanwhile"),
    [
        ((), ()),
        ((BEGINS, TEXT), (ENDS, STARTED, STOPPED)),
        ((BEGINS, TEXT, STARTED), (STOPPED, TEXT, STARTED, ENDS, STOPPED)),
        ((BEGINS, TEXT, ENDS), (STARTED, STOPPED)),
        ((BEGINS, TEXT, ENDS, STARTED), (STOPPED,)),
        ((SPEAK,), (STARTED, STOPPED)),
        ((REPEAT,), (STARTED, STOPPED)),
        ((BEGINS, TEXT), (CUT,)),
        ((BEGINS, TEXT, STARTED), (CUT, STOPPED)),
        ((BEGINS,), (ENDS,)),
    ],
    ids=str,
)
async def test_a_change_follows_what_is_being_said(before: tuple[type[Frame], ...], meanwhile: tuple[type[Frame], ...]):
    came = await order(*map(frame_of, (*before, CHANGE, *meanwhile, BEGINS)))
    assert came == [*before, *meanwhile, CHANGE, BEGINS]


async def test_changes_keep_their_order():
    changes = [TTSUpdateSettingsFrame(settings={"n": n}) for n in range(3)]
    apart = [SleepFrame(sleep=APART_SECS), BotStartedSpeakingFrame(), SleepFrame(sleep=APART_SECS)]
    end = [SleepFrame(sleep=APART_SECS), BotStoppedSpeakingFrame(), SleepFrame(sleep=APART_SECS)]
    down, _ = await run_test(QuietChanges(), frames_to_send=[*apart, *changes, *end])
    assert [frame for frame in down if isinstance(frame, CHANGE)] == changes


async def test_an_answer_of_blanks_holds_nothing_back():
    came = await order(BEGINS(), frame_of(TEXT, " \n"), ENDS(), CHANGE())
    assert came == [BEGINS, TEXT, ENDS, CHANGE]
