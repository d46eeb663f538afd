"""A turn is answered as soon as its words are there, once, and only as it ended."""

import asyncio

import pytest
from pipecat.utils.errors import ErrorCategory

from tests.bot.guessing_call import GOES_ON, OVER, GuessingCall
from tests.processors.failover.scripted_llm import ScriptedLLM, Tool, Wait
from tests.virtual_time import in_virtual_time

ANSWER = (Wait(0.3), "At ", "six.")
QUESTION = "When do you close?"


@in_virtual_time
async def test_the_answer_to_final_words_is_there_so_much_sooner_as_the_turn_takes_to_end():
    async with GuessingCall(ScriptedLLM(ANSWER), analyzer_secs=0.3) as call:
        await call.speaks()
        await call.pauses()
        began = asyncio.get_running_loop().time()
        await call.final(QUESTION)
        await call.see(lambda call: call.said != "")
        waited = asyncio.get_running_loop().time() - began
    assert waited == pytest.approx(0.02 + 0.3, abs=0.01)
    assert (call.asked, call.outcomes, call.heard) == ([QUESTION], [True], [QUESTION])


@in_virtual_time
async def test_nothing_of_a_guess_is_heard_before_the_turn_is_over():
    async with GuessingCall(ScriptedLLM(["At ", "six."]), analyzer_secs=1.0) as call:
        await call.speaks()
        await call.pauses()
        await call.final(QUESTION, secs=0.9)
        before = (call.asked, call.said)
        await call.see(lambda call: call.answers == 1)
    assert before == ([QUESTION], "")
    assert call.said == "At six."


@in_virtual_time
async def test_words_that_stay_the_same_are_answered_at_the_pause_and_need_not_be_final():
    async with GuessingCall(ScriptedLLM(ANSWER)) as call:
        await call.speaks()
        await call.interim("when do you close", secs=0.2)
        await call.pauses(secs=0.05)
        before = call.asked
        await call.final(QUESTION)
        await call.see(lambda call: call.answers == 1)
    assert before == ["when do you close"]
    assert (len(call.asked), call.said, call.outcomes, call.heard) == (1, "At six.", [True], [QUESTION])


@in_virtual_time
async def test_words_that_still_change_are_waited_for():
    async with GuessingCall(ScriptedLLM(ANSWER)) as call:
        await call.speaks()
        await call.interim("when do you", secs=0.05)
        await call.pauses(secs=0.05)
        assert call.asked == []


@in_virtual_time
async def test_final_words_that_differ_are_answered_anew():
    async with GuessingCall(ScriptedLLM(ANSWER)) as call:
        await call.speaks()
        await call.interim("when do you clothes", secs=0.2)
        await call.pauses(secs=0.04)
        await call.final(QUESTION)
        await call.see(lambda call: call.answers == 1)
    assert (call.asked, call.outcomes) == (["when do you clothes", QUESTION], [False, True])
    assert (call.said, call.heard) == ("At six.", [QUESTION])


@pytest.mark.parametrize("kept", [True, False], ids=["several models", "one model"])
@pytest.mark.parametrize(
    "secs", [0.01, 0.1, 0.5], ids=["as it is looked up", "as it is thought of", "as it is written"]
)
@in_virtual_time
async def test_a_caller_who_goes_on_gets_one_answer_to_all_of_it(kept: bool, secs: float):
    async with GuessingCall(ScriptedLLM(ANSWER), analyzer_secs=1.0, kept=kept) as call:
        await call.speaks()
        await call.final("When do you close", secs=secs)
        await call.speaks()
        await call.final("on Sundays?")
        await call.pauses()
        await call.see(lambda call: call.answers == 1)
        await asyncio.sleep(5)
    assert call.asked[-1] == "When do you close on Sundays?"
    assert (call.said, call.answers, call.outcomes) == ("At six.", 1, [False, True])
    assert (call.heard, call.unanswered) == (["When do you close on Sundays?"],) * 2


@in_virtual_time
async def test_a_guess_that_is_withdrawn_as_it_is_looked_up_asks_no_model():
    async with GuessingCall(ScriptedLLM(ANSWER), search_secs=0.2) as call:
        await call.speaks()
        await call.final(QUESTION, secs=0.1)
        await call.speaks(secs=3)
    assert (call.asked, call.search.found) == ([], [])
    assert call.told == [{"type": "guess", "kept": False, "input_tokens": 0, "output_tokens": 0}]


@in_virtual_time
async def test_what_a_withdrawn_guess_took_is_told():
    async with GuessingCall(ScriptedLLM(["x" * 40, Wait(60)])) as call:
        await call.speaks()
        await call.final(QUESTION, secs=1)
        await call.speaks()
    (told,) = call.told
    assert (told["kept"], told["output_tokens"]) == (False, 10)
    assert told["input_tokens"] > 10
    assert call.llm.cancelled >= 1


@pytest.mark.parametrize("kept", [True, False], ids=["several models", "one model"])
@in_virtual_time
async def test_no_tool_is_called_for_a_guess_but_for_the_turn_as_it_ended(kept: bool):
    llm = ScriptedLLM([Tool("end_call")])
    async with GuessingCall(llm, analyzer_secs=0.5, kept=kept) as call:
        calls: list[float] = []

        async def end_call(_params: object) -> None:
            calls.append(asyncio.get_running_loop().time())

        llm.register_function("end_call", end_call)
        await call.speaks()
        await call.pauses()
        over_at = asyncio.get_running_loop().time() + 0.5
        await call.final("Goodbye.")
        await asyncio.sleep(3)
    assert call.outcomes == [False]
    assert calls == [pytest.approx(over_at, abs=0.1)]
    assert call.asked == ["Goodbye.", "Goodbye."]


@in_virtual_time
async def test_nothing_is_guessed_where_the_analyzer_says_that_the_turn_goes_on():
    async with GuessingCall(ScriptedLLM(ANSWER), verdicts=[GOES_ON, OVER]) as call:
        await call.speaks()
        await call.pauses(secs=0.2)
        await call.final("So I wanted to, uh,", secs=1)
        assert (call.asked, call.told) == ([], [])


@in_virtual_time
async def test_a_guess_that_no_model_can_answer_is_asked_again_when_the_turn_is_over():
    fails = ScriptedLLM([ErrorCategory.SERVER], ANSWER)
    async with GuessingCall(fails, analyzer_secs=0.5) as call:
        await call.speaks()
        await call.pauses()
        await call.final(QUESTION)
        await call.see(lambda call: call.answers == 1)
    assert (call.said, call.outcomes, call.errors) == ("At six.", [False], [])


@in_virtual_time
async def test_a_noise_after_the_words_costs_a_guess_and_no_answer():
    async with GuessingCall(ScriptedLLM(ANSWER), analyzer_secs=0.3) as call:
        await call.speaks()
        await call.final(QUESTION)
        await call.pauses(secs=0.1)
        await call.speaks(secs=0.1)
        await call.pauses()
        await call.final("Please.")
        await call.see(lambda call: call.answers == 1)
        await asyncio.sleep(5)
    assert (call.said, call.answers, call.outcomes) == ("At six.", 1, [False, True])
    assert call.heard == ["When do you close? Please."]


@in_virtual_time
async def test_a_turn_in_which_a_guess_is_interrupted_is_answered_when_it_is_over():
    async with GuessingCall(ScriptedLLM(ANSWER), analyzer_secs=0.3) as call:
        await call.speaks()
        await call.pauses()
        await call.final(QUESTION, secs=0.1)
        await call.interrupted()
        await call.see(lambda call: call.answers == 1)
        await asyncio.sleep(5)
    assert (call.said, call.answers, call.outcomes, call.heard) == ("At six.", 1, [False], [QUESTION])
