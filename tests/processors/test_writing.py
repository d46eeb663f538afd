"""What is written in the place of being said."""

from typing import Any

from pipecat.frames.frames import (
    Frame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSSpeakFrame,
)

from processors.writing import InWriting
from tests.patient import run_test

ANSWER = [LLMFullResponseStartFrame, LLMTextFrame, LLMFullResponseEndFrame]


async def out(*frames: Frame, silent: bool) -> list[Any]:
    down, _ = await run_test(InWriting(silent=lambda: silent), frames_to_send=[*frames])
    return [*down]


def answer() -> list[Frame]:
    return [LLMFullResponseStartFrame(), LLMTextFrame("At nine."), LLMFullResponseEndFrame()]


async def test_a_silent_voice_is_given_no_answer_to_say():
    came = await out(*answer(), silent=True)
    assert [type(each) for each in came] == ANSWER
    assert all(each.skip_tts for each in came)


async def test_what_a_silent_voice_would_say_by_itself_is_an_answer_in_writing():
    came = await out(TTSSpeakFrame("Hello."), silent=True)
    assert [type(each) for each in came] == ANSWER
    assert (came[1].text, all(each.skip_tts for each in came)) == ("Hello.", True)


async def test_a_voice_that_speaks_is_given_all_as_it_comes():
    came = await out(TTSSpeakFrame("Hello."), *answer(), silent=False)
    assert [type(each) for each in came] == [TTSSpeakFrame, *ANSWER]
    assert not any(each.skip_tts for each in came[1:])
