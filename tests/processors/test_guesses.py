"""Answers to guesses are held, passed on and dropped; all else goes by."""

from collections.abc import Iterator, Sequence
from typing import Any

from pipecat.frames.frames import (
    EagerEndOfTurnCancelFrame,
    Frame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSSpeakFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameDirection
from pipecat.tests.utils import SleepFrame

from processors.frames import AskedFrame, GuessedContextFrame, PassagesFrame
from processors.guess import Guess, Guesses
from processors.guesses import GuessGate, GuessMarker, ToolGate
from tests.patient import run_test


def a_guess() -> Guess:
    return Guesses(settled=lambda _: None).begin("When?")


def answer(text: str = "At six.") -> list[Frame]:
    return [PassagesFrame(), LLMFullResponseStartFrame(), LLMTextFrame(text), LLMFullResponseEndFrame()]


async def through(*frames: Frame) -> list[type[Frame]]:
    down, _ = await run_test(GuessGate(), frames_to_send=frames)
    return [type(frame) for frame in down]


ANSWER = [type(frame) for frame in answer()]


async def test_an_answer_to_a_turn_that_is_over_goes_by():
    assert await through(AskedFrame(), *answer()) == ANSWER


async def test_the_answer_to_a_guess_is_held_and_what_is_no_part_of_it_goes_by():
    guess = a_guess()
    assert await through(AskedFrame(guess=guess), *answer(), TTSSpeakFrame("One moment.")) == [TTSSpeakFrame]
    assert guess.written == len("At six.")


async def test_it_follows_the_end_of_its_turn():
    guess = a_guess()
    held = [AskedFrame(guess=guess), *answer()[:3], SleepFrame(0.05)]
    guess.keep()
    assert await through(*held, UserStoppedSpeakingFrame(), *answer()[3:]) == [
        *ANSWER[:3],
        UserStoppedSpeakingFrame,
        ANSWER[3],
    ]


async def test_nothing_of_a_withdrawn_one_is_left_for_the_next():
    guess = a_guess()
    guess.withdraw()
    frames = [AskedFrame(guess=guess), *answer("No."), EagerEndOfTurnCancelFrame(), SleepFrame(0.05)]
    assert await through(*frames, UserStoppedSpeakingFrame(), AskedFrame(), *answer()) == [
        EagerEndOfTurnCancelFrame, UserStoppedSpeakingFrame, *ANSWER,
    ]  # fmt: skip


async def test_a_withdrawal_that_comes_late_takes_nothing_from_the_next():
    guess = a_guess()

    def call() -> Iterator[Frame]:
        yield from (AskedFrame(guess=guess), *answer(), SleepFrame(0.05), EagerEndOfTurnCancelFrame(), SleepFrame(0.05))
        guess.keep()
        yield UserStoppedSpeakingFrame()

    frames: Any = call()
    down, _ = await run_test(GuessGate(), frames_to_send=frames)
    assert [type(frame) for frame in down] == [EagerEndOfTurnCancelFrame, UserStoppedSpeakingFrame, *ANSWER]


async def marked(guesses: Guesses, *frames: Frame) -> Sequence[Frame]:
    down, _ = await run_test(GuessMarker(guesses), frames_to_send=frames)
    return down


async def test_a_guess_goes_down_with_its_mark():
    guesses = Guesses(settled=lambda _: None)
    guess = guesses.begin("When?")
    mark, context = await marked(guesses, LLMContextFrame(context=LLMContext(), speculation=True))
    assert isinstance(mark, AskedFrame)
    assert isinstance(context, GuessedContextFrame)
    assert (mark.guess, context.guess, context.speculation, guess.is_asked) == (guess, guess, True, True)


async def test_what_is_asked_for_certain_has_a_mark_without_a_guess():
    guesses = Guesses(settled=lambda _: None)
    guesses.begin("When?")
    mark, context = await marked(guesses, LLMContextFrame(context=LLMContext()))
    assert isinstance(mark, AskedFrame)
    assert (mark.guess, type(context)) == (None, LLMContextFrame)


async def test_one_that_was_withdrawn_meanwhile_goes_nowhere():
    guesses = Guesses(settled=lambda _: None)
    guesses.begin("When?").withdraw()
    assert await marked(guesses, LLMContextFrame(context=LLMContext(), speculation=True)) == []


def test_a_tool_is_withheld_until_the_guess_is_kept():
    guesses = Guesses(settled=lambda _: None)
    guess, gate = guesses.begin("When?"), ToolGate(guesses)
    gate.begin_speculation(True)
    before = gate.is_speculating
    guess.keep()
    assert (before, gate.is_speculating) == (True, False)


def test_a_model_that_would_call_a_tool_withdraws_the_guess_at_once():
    guesses = Guesses(settled=lambda _: None)
    guess, gate = guesses.begin("When?"), ToolGate(guesses)
    gate.begin_speculation(True)
    gate.process(EagerEndOfTurnCancelFrame(), FrameDirection.DOWNSTREAM)
    assert guess.is_withdrawn
