"""A silence is counted where it is the caller's to break."""

from collections.abc import Sequence
from typing import Any

import pytest
from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    Frame,
    FunctionCallResultFrame,
    FunctionCallsStartedFrame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    TTSSpeakFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.tests.utils import SleepFrame

from processors.silence import SilenceProcessor
from tests.patient import run_test
from tests.virtual_time import in_virtual_time

SPOKE = (BotStartedSpeakingFrame(), BotStoppedSpeakingFrame())


def after(secs: float) -> SleepFrame:
    return SleepFrame(sleep=secs)


def written(frame: Any) -> Frame:
    frame.skip_tts = True
    return frame


async def told(*frames: Frame) -> list[Any]:
    """The silences of ten seconds by their numbers, and the other events by their names."""
    silence, heard = SilenceProcessor(silent_secs=10), []

    @silence.event_handler("on_caller_silent")
    async def _(_silence: object, times: int) -> None:
        heard.append(times)

    for name in ("on_caller_began", "on_caller_ended", "on_bot_ended"):

        async def note(_silence: object, name: str = name) -> None:
            heard.append(name)

        silence.add_event_handler(name, note)
    await run_test(silence, frames_to_send=[*frames, after(0.01)])
    return heard


@in_virtual_time
async def test_a_caller_who_does_not_answer_is_silent_again_and_again():
    assert await told(*SPOKE, after(25)) == ["on_bot_ended", 1, 2]


@in_virtual_time
async def test_what_the_bot_says_meanwhile_is_the_same_silence():
    assert await told(*SPOKE, after(11), TTSSpeakFrame("Hello?"), *SPOKE, after(11)) == [
        "on_bot_ended", 1, "on_bot_ended", 2,
    ]  # fmt: skip


@in_virtual_time
async def test_a_caller_who_spoke_breaks_a_new_silence():
    spoke = [UserStartedSpeakingFrame(), UserStoppedSpeakingFrame()]
    assert await told(*SPOKE, after(11), *spoke, after(11)) == [
        "on_bot_ended", 1, "on_caller_began", "on_caller_ended", 1,
    ]  # fmt: skip


@in_virtual_time
async def test_a_caller_who_typed_breaks_a_new_silence():
    assert await told(*SPOKE, after(11), InterruptionFrame(), after(11)) == ["on_bot_ended", 1, "on_caller_began", 1]


@in_virtual_time
async def test_what_is_written_ends_as_it_is_written():
    wrote = [written(LLMFullResponseStartFrame()), written(LLMFullResponseEndFrame())]
    assert await told(*wrote, after(11)) == ["on_bot_ended", 1]


@in_virtual_time
async def test_a_greeting_that_no_voice_says_is_waited_out():
    assert await told(TTSSpeakFrame("Hello."), after(11)) == [1]


@in_virtual_time
async def test_noise_that_is_not_answered_is_followed_by_silence():
    noise = [UserStartedSpeakingFrame(), InterruptionFrame(), UserStoppedSpeakingFrame()]
    assert (await told(*noise, after(11)))[-1] == 1


@pytest.mark.parametrize(
    "frames",
    [
        (UserStartedSpeakingFrame(),),
        (BotStartedSpeakingFrame(),),
        (LLMFullResponseStartFrame(),),
        (LLMFullResponseStartFrame(), *SPOKE),
        (FunctionCallsStartedFrame(function_calls=[object()]),),  # pyright: ignore[reportArgumentType]
        (FunctionCallsStartedFrame(function_calls=[object()]), *SPOKE),  # pyright: ignore[reportArgumentType]
    ],
    ids=lambda frames: "-".join(type(frame).__name__ for frame in frames),
)
@in_virtual_time
async def test_nothing_is_counted_while_somebody_has_the_word(frames: Sequence[Frame]):
    assert 1 not in await told(TTSSpeakFrame("Hello."), *frames, after(60))


@in_virtual_time
async def test_a_tool_that_is_done_is_waited_for_no_more():
    calls = FunctionCallsStartedFrame(function_calls=[object()])  # pyright: ignore[reportArgumentType]
    result = FunctionCallResultFrame(function_name="f", tool_call_id="1", arguments={}, result="")
    assert await told(calls, after(60), result, after(11)) == [1]


@in_virtual_time
async def test_the_bot_has_the_word_while_it_thinks_and_speaks():
    seen = []
    for frames in ([], [LLMFullResponseStartFrame()], [BotStartedSpeakingFrame()], [*SPOKE]):
        silence = SilenceProcessor(silent_secs=10)
        await run_test(silence, frames_to_send=[*frames, after(0.01)])
        seen.append(silence.bot_has_word)
    assert seen == [False, True, True, False]
