"""A caller who is in the middle of something is not cut off, and is answered once."""

import asyncio

import pytest

from bot.patience import Pauses
from tests.bot.guessing_call import GuessingCall
from tests.processors.failover.scripted_llm import ScriptedLLM
from tests.virtual_time import in_virtual_time

ANSWER = ("At ", "six.")


def a_call() -> GuessingCall:
    return GuessingCall(ScriptedLLM(ANSWER), patience=Pauses(usual_secs=1.5))


async def answered_after(call: GuessingCall) -> float:
    began = asyncio.get_running_loop().time()
    await call.see(lambda call: call.answers > 0)
    return asyncio.get_running_loop().time() - began


@in_virtual_time
async def test_a_whole_sentence_is_answered_at_once():
    async with a_call() as call:
        await call.speaks()
        await call.pauses()
        await call.final("When do you close?")
        assert await answered_after(call) < 0.2


@pytest.mark.parametrize(
    ("begun", "rest"),
    [
        ("So I wanted to, uh,", "bring it back."),
        ("My number is 0 7 7 0", "that is all."),
        ("My email is jane", "at example dot com."),
    ],
)
@in_virtual_time
async def test_a_pause_of_a_second_and_a_half_in_the_middle_cuts_nobody_off(begun: str, rest: str):
    async with a_call() as call:
        await call.speaks()
        await call.pauses()
        await call.final(begun, secs=1.36)  # and 0.2 that the VAD waited, but for the 0.064 until it hears them again
        await call.speaks()
        await call.final(rest)
        await call.pauses()
        await answered_after(call)
    assert (call.asked, call.outcomes) == ([f"{begun} {rest}"], [True])


@in_virtual_time
async def test_one_who_says_no_more_is_answered_then():
    async with a_call() as call:
        await call.speaks()
        await call.pauses()
        await call.final("So I wanted to, uh,")
        assert await answered_after(call) == pytest.approx(1.5, abs=0.1)
        await asyncio.sleep(10)
    assert (call.answers, call.heard) == (1, ["So I wanted to, uh,"])


@in_virtual_time
async def test_words_that_come_late_and_finish_the_sentence_end_the_wait():
    async with a_call() as call:
        await call.speaks()
        await call.pauses()
        await call.final("I have a bike and", secs=0.4)
        await call.final("a question.")
        assert await answered_after(call) < 0.2


@in_virtual_time
async def test_the_callers_own_pauses_say_how_long_they_are_waited_for():
    async with a_call() as call:
        for _ in range(3):
            await call.speaks()
            await call.pauses()
            await call.final("and", secs=1.364)
        await call.speaks()
    assert call.longest[-1] == pytest.approx(1.4 * 1.5, abs=0.05)


@in_virtual_time
async def test_the_time_between_turns_is_no_pause():
    async with a_call() as call:
        await call.speaks()
        await call.pauses()
        await call.final("When do you close?", secs=3)
        await call.speaks()
    assert call.longest == []
