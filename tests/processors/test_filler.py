"""A word is said where an answer is slow, and only there."""

import asyncio

import pytest
from pipecat.frames.frames import (
    Frame,
    FunctionCallFromLLM,
    FunctionCallsStartedFrame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSSpeakFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.tests.utils import SleepFrame

from processors.filler import FillerProcessor
from processors.frames import FillerFrame
from tests.patient import run_test
from tests.processors.failover.scripted_tts import Call, ScriptedTTS
from tests.virtual_time import in_virtual_time

FILLERS = ("One moment.", "Let me see.")


def after(secs: float) -> SleepFrame:
    return SleepFrame(sleep=secs)


def asked() -> list[Frame]:
    """The caller fell silent 0.3 s ago, and the language model is asked."""
    return [VADUserStoppedSpeakingFrame(stop_secs=0.2), after(0.1), LLMFullResponseStartFrame()]


def answer() -> list[Frame]:
    return [LLMTextFrame(" "), LLMTextFrame("We open"), LLMTextFrame(" at nine."), LLMFullResponseEndFrame()]


async def said(*frames: Frame, wait_secs: float = 1.2) -> list[str]:
    """The texts that reach the voice, in their order."""
    filler = FillerProcessor(fillers=FILLERS, wait_secs=wait_secs)
    down, _ = await run_test(filler, frames_to_send=[*frames, after(0.01)])
    return [f.text.strip() for f in down if isinstance(f, LLMTextFrame | TTSSpeakFrame) and f.text.strip()]


@in_virtual_time
async def test_a_slow_answer_is_preceded_by_a_word():
    assert await said(*asked(), after(0.95), *answer()) == ["One moment.", "We open", "at nine."]


@in_virtual_time
async def test_the_word_is_none_of_an_answer_and_not_kept_as_one():
    filler = FillerProcessor(fillers=FILLERS, wait_secs=1.2)
    down, _ = await run_test(filler, frames_to_send=[*asked(), after(1)])
    (frame,) = [each for each in down if isinstance(each, FillerFrame)]
    assert not frame.append_to_context


@in_virtual_time
async def test_an_answer_that_comes_in_time_is_left_alone():
    assert await said(*asked(), after(0.85), *answer(), after(5)) == ["We open", "at nine."]


@in_virtual_time
async def test_what_is_said_without_a_language_model_is_an_answer():
    assert await said(*asked(), TTSSpeakFrame("Sorry."), after(5)) == ["Sorry."]


@in_virtual_time
async def test_an_answer_without_words_is_not_waited_for():
    assert await said(*asked(), LLMFullResponseEndFrame(), after(5)) == []


@in_virtual_time
async def test_a_caller_who_goes_on_is_not_told_to_wait():
    assert await said(*asked(), InterruptionFrame(), after(5)) == []


@in_virtual_time
async def test_a_turn_whose_end_was_in_doubt_gives_the_answer_half_of_the_wait():
    doubted = [VADUserStoppedSpeakingFrame(stop_secs=0.2), after(1.5), LLMFullResponseStartFrame()]
    assert await said(*doubted, after(0.55), *answer()) == ["We open", "at nine."]


@in_virtual_time
async def test_there_is_no_second_word_before_an_answer():
    assert await said(*asked(), after(1), InterruptionFrame(), *asked(), after(20), *answer()) == [
        "One moment.", "We open", "at nine.",
    ]  # fmt: skip


@in_virtual_time
async def test_the_next_slow_answer_has_another_word():
    slow = [*asked(), after(1), *answer()]
    assert (await said(*slow, *slow))[::3] == ["One moment.", "Let me see."]


@in_virtual_time
async def test_what_is_typed_is_waited_for_from_then_on():
    typed = [VADUserStoppedSpeakingFrame(stop_secs=0.2), after(30), InterruptionFrame(), LLMFullResponseStartFrame()]
    assert await said(*typed, after(1.1), *answer()) == ["We open", "at nine."]


@in_virtual_time
async def test_what_is_written_is_not_filled():
    written = LLMFullResponseStartFrame()
    written.skip_tts = True
    assert await said(written, after(5)) == []


@in_virtual_time
async def test_no_seconds_fill_nothing():
    assert await said(*asked(), after(20), wait_secs=0) == []


@pytest.mark.parametrize("streaming", [False, True])
@in_virtual_time
async def test_an_answer_that_comes_meanwhile_is_said_behind_the_word_and_kept_alone(streaming: bool):
    async with Call({"first": ScriptedTTS(streaming=streaming), "second": ScriptedTTS()}) as call:
        await call.worker.queue_frame(FillerFrame("One moment.", append_to_context=False))
        await asyncio.sleep(0.2)
        await call.answers("We open at nine.")
        await asyncio.sleep(20)
    assert call.heard == "One moment. We open at nine."
    assert call.said == ["We open at nine."]
    assert call.floor == ["BotStarted", "BotStopped"] * 2


def calls() -> list[Frame]:
    """The model calls a tool, and nothing is heard of it yet."""
    call = FunctionCallFromLLM(function_name="t", tool_call_id="1", arguments={}, context=LLMContext())
    return [FunctionCallsStartedFrame([call]), LLMFullResponseEndFrame()]


@in_virtual_time
async def test_a_slow_tool_is_a_slow_answer():
    said_of_it = await said(*asked(), *calls(), after(1.5), LLMFullResponseStartFrame(), *answer())
    assert said_of_it == ["One moment.", "We open", "at nine."]


@in_virtual_time
async def test_what_follows_a_tool_is_waited_for_from_the_callers_last_sound():
    said_of_it = await said(*asked(), *calls(), after(0.5), LLMFullResponseStartFrame(), after(0.45), *answer())
    assert said_of_it == ["One moment.", "We open", "at nine."]


@in_virtual_time
async def test_a_tool_that_was_filled_is_not_filled_again():
    filler = FillerFrame("I look.", append_to_context=False)
    said_of_it = await said(*asked(), *calls(), filler, LLMFullResponseStartFrame(), after(3), *answer())
    assert said_of_it == ["I look.", "We open", "at nine."]


@in_virtual_time
async def test_a_caller_who_speaks_ends_the_wait_for_a_tool():
    assert await said(*asked(), *calls(), InterruptionFrame(), after(3)) == []
