"""Whatever befalls a language model, the caller hears one answer, and the turn is kept."""

import asyncio
from typing import Any

import pytest
from pipecat.frames.frames import (
    Frame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMUpdateSettingsFrame,
    TTSSpeakFrame,
)
from pipecat.services.settings import LLMSettings
from pipecat.utils.errors import ErrorCategory

from processors.failover.circuit import State
from processors.frames import PassagesFrame
from tests.processors.failover.scripted_llm import (
    HANGS,
    QUESTION,
    Calling,
    ScriptedLLM,
    Stage,
    Staging,
    Step,
    Tool,
    Wait,
)
from tests.virtual_time import run

ANSWER = ("Within ", "thirty ", "days.")
FAULTS: dict[str, tuple[Step, str]] = {
    "refused key": (ErrorCategory.AUTHENTICATION, "refused"),
    "forbidden": (ErrorCategory.AUTHORIZATION, "refused"),
    "bad request": (ErrorCategory.INVALID_REQUEST, "invalid_request"),
    "too many requests": (ErrorCategory.RATE_LIMIT, "rate_limit"),
    "no credit": (ErrorCategory.QUOTA, "quota"),
    "server error": (ErrorCategory.SERVER, "server"),
    "no connection": (ErrorCategory.CONNECTIVITY, "connectivity"),
    "unknown error": (ErrorCategory.UNKNOWN, "unknown"),
    "silence": (HANGS, "late"),
}


def spoken(frames: Stage) -> tuple[int, str, int]:
    """The answer's begins, its words, and its ends."""
    return frames.count(LLMFullResponseStartFrame), frames.text, frames.count(LLMFullResponseEndFrame)


def test_an_answer_of_the_first_goes_out_as_it_comes():
    async def turn() -> tuple[int, str, int]:
        async with Staging({"a": ScriptedLLM(ANSWER), "b": ScriptedLLM(ANSWER)}) as stage:
            await stage.ask()
            return spoken(stage)

    assert run(turn()) == (1, "Within thirty days.", 1)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failure_before_a_word_gives_the_turn_to_the_next(fault: str):
    async def turn() -> tuple[tuple[int, str, int], list[tuple[str, str, str]], int]:
        async with Staging({"a": ScriptedLLM([FAULTS[fault][0]]), "b": ScriptedLLM(ANSWER)}) as stage:
            await stage.ask()
            return spoken(stage), stage.failovers, len(stage.errors)

    assert run(turn()) == ((1, "Within thirty days.", 1), [("a", "b", FAULTS[fault][1])], 0)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failure_in_the_middle_lets_the_next_go_on_from_there(fault: str):
    async def turn() -> tuple[tuple[int, str, int], str, list[Any]]:
        first, second = ScriptedLLM(["Within ", FAULTS[fault][0]]), ScriptedLLM(ANSWER)
        async with Staging({"a": first, "b": second}) as stage:
            await stage.ask()
            return spoken(stage), stage.failovers[0][2], second.asked[0]

    said, reason, asked = run(turn())
    assert said == (1, "Within thirty days.", 1)
    assert reason == ("stalled" if fault == "silence" else FAULTS[fault][1])
    assert [message["role"] for message in asked] == ["user", "assistant", "developer"]


@pytest.mark.parametrize("said", [(), ("Within ",)], ids=["before a word", "after a word"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_caller_who_interrupts_the_takeover_hears_no_more(fault: str, said: tuple[str, ...]):
    async def turn() -> tuple[str, int]:
        first, second = ScriptedLLM([*said, FAULTS[fault][0]]), ScriptedLLM([Wait(0.5), *ANSWER])
        async with Staging({"a": first, "b": second}) as stage:
            await stage.ask(until=lambda _: True)
            await second.was_asked.wait()
            await stage.interrupt()
            await asyncio.sleep(60)
            return stage.text, second.cancelled

    assert run(turn()) == ("".join(said), 1)


def test_what_a_model_that_was_given_up_still_says_is_not_heard():
    async def turn() -> tuple[int, str, int]:
        first, second = ScriptedLLM([HANGS]), ScriptedLLM(["Within ", Wait(1), "thirty days."])
        first.late = "Too late."
        async with Staging({"a": first, "b": second}) as stage:
            await stage.ask()
            await asyncio.sleep(60)
            return spoken(stage)

    assert run(turn()) == (1, "Within thirty days.", 1)


def test_a_request_that_is_late_is_cancelled():
    async def turn() -> int:
        first = ScriptedLLM([HANGS])
        async with Staging({"a": first, "b": ScriptedLLM(ANSWER)}) as stage:
            await stage.ask()
            return first.cancelled

    assert run(turn()) == 1


def test_a_request_that_cannot_be_cancelled_does_not_hold_up_the_next():
    async def turn() -> float:
        first = ScriptedLLM([HANGS])
        first.deaf_secs = 8
        async with Staging({"a": first, "b": ScriptedLLM(ANSWER)}) as stage:
            await stage.ask()
            return asyncio.get_running_loop().time()

    assert run(turn()) < 3.5


def test_an_interruption_cancels_the_model_that_answers():
    async def turn() -> tuple[int, str]:
        first = ScriptedLLM(["Within ", Wait(1), "thirty days."])
        async with Staging({"a": first, "b": ScriptedLLM(ANSWER)}) as stage:
            await stage.ask(until=lambda stage: bool(stage.text))
            await stage.interrupt()
            await asyncio.sleep(60)
            return first.cancelled, stage.text

    assert run(turn()) == (1, "Within ")


def test_an_interruption_says_nothing_against_the_model():
    async def turn() -> str | None:
        async with Staging({"a": ScriptedLLM([HANGS]), "b": ScriptedLLM(ANSWER)}) as stage:
            for _ in range(9):
                await stage.ask(until=lambda _: True)
                await stage.interrupt()
            return stage.providers.next()

    assert run(turn()) == "a"


@pytest.mark.parametrize("script", [[], [" ", "\n"]], ids=["nothing", "blanks"])
def test_an_answer_without_words_is_none(script: list[Step]):
    async def turn() -> tuple[str, list[tuple[str, str, str]]]:
        async with Staging({"a": ScriptedLLM(script), "b": ScriptedLLM(ANSWER)}) as stage:
            await stage.ask()
            return stage.text, stage.failovers

    assert run(turn()) == ("Within thirty days.", [("a", "b", "empty")])


def test_the_turn_goes_to_the_last_where_all_before_it_fail():
    async def turn() -> tuple[str, list[tuple[str, str, str]]]:
        services = {"a": ScriptedLLM([ErrorCategory.SERVER]), "b": ScriptedLLM([HANGS]), "c": ScriptedLLM(ANSWER)}
        async with Staging(services) as stage:
            await stage.ask()
            return stage.text, stage.failovers

    assert run(turn()) == ("Within thirty days.", [("a", "b", "server"), ("b", "c", "late")])


def test_only_where_all_fail_an_error_goes_up_as_that_of_the_whole():
    async def turn() -> tuple[list[tuple[bool, ErrorCategory | None]], tuple[int, str, int]]:
        async with Staging(
            {"a": ScriptedLLM([ErrorCategory.SERVER]), "b": ScriptedLLM([ErrorCategory.QUOTA])}
        ) as stage:
            await stage.ask()
            return [(error.processor is stage.kept, error.category) for error in stage.errors], spoken(stage)

    assert run(turn()) == ([(True, ErrorCategory.QUOTA)], (1, "", 1))


def test_a_request_that_two_refuse_is_tried_by_no_third():
    async def turn() -> tuple[list[ErrorCategory | None], int]:
        bad, third = [ErrorCategory.INVALID_REQUEST], ScriptedLLM(ANSWER)
        async with Staging({"a": ScriptedLLM(bad), "b": ScriptedLLM(bad), "c": third}) as stage:
            await stage.ask()
            return [error.category for error in stage.errors], len(third.asked)

    assert run(turn()) == ([ErrorCategory.INVALID_REQUEST], 0)


def test_a_request_that_two_refuse_leaves_both_in_use():
    async def turn() -> str:
        bad = [ErrorCategory.INVALID_REQUEST]
        async with Staging({"a": ScriptedLLM(bad, ANSWER), "b": ScriptedLLM(bad, ANSWER)}) as stage:
            await stage.ask()
            await stage.ask()
            return stage.text

    assert run(turn()) == "Within thirty days."


def test_a_refused_key_keeps_the_next_turns_from_it():
    async def turn() -> tuple[int, State]:
        first = ScriptedLLM([ErrorCategory.AUTHENTICATION])
        async with Staging({"a": first, "b": ScriptedLLM(ANSWER)}) as stage:
            await stage.ask()
            await stage.ask()
            return len(first.asked), stage.providers.state("a")

    assert run(turn()) == (1, State.OPEN)


def test_after_its_rest_a_model_that_works_again_has_the_turns_back():
    async def turn() -> tuple[list[int], State]:
        first = ScriptedLLM(*[[ErrorCategory.SERVER]] * 3, ANSWER)
        async with Staging({"a": first, "b": ScriptedLLM(ANSWER)}) as stage:
            asked = []
            for rest_secs in (0, 0, 0, 0, 20, 0):
                await asyncio.sleep(rest_secs)
                await stage.ask()
                asked.append(len(first.asked))
            return asked, stage.providers.state("a")

    assert run(turn()) == ([1, 2, 3, 3, 4, 5], State.CLOSED)


def test_a_model_that_is_known_to_be_quick_is_waited_for_less():
    async def turn() -> float:
        async with Staging({"a": ScriptedLLM(*[ANSWER] * 8, [HANGS]), "b": ScriptedLLM(ANSWER)}) as stage:
            for _ in range(8):
                await stage.ask()
            began = asyncio.get_running_loop().time()
            await stage.ask()
            return asyncio.get_running_loop().time() - began

    assert 1.0 <= run(turn()) < 1.1


def test_a_model_that_became_slower_is_waited_for_longer_the_next_time():
    async def turn() -> list[tuple[str, str, str]]:
        slower = ScriptedLLM(*[ANSWER] * 8, [Wait(1.5), *ANSWER])
        async with Staging({"a": slower, "b": ScriptedLLM(ANSWER)}) as stage:
            for _ in range(12):
                await stage.ask()
            return stage.failovers

    assert run(turn()) == [("a", "b", "late")]


def test_settings_reach_the_model_that_takes_over():
    async def turn() -> object:
        second = ScriptedLLM(ANSWER)
        async with Staging({"a": ScriptedLLM([ErrorCategory.SERVER]), "b": second}) as stage:
            delta = LLMSettings(max_tokens=7)
            await stage.worker.queue_frame(LLMUpdateSettingsFrame(delta=delta, reach_inactive_services=True))
            await stage.ask()
            return second.tokens_allowed

    assert run(turn()) == 7


def test_what_is_not_for_a_model_passes_in_its_order():
    async def turn() -> list[type[Frame]]:
        async with Staging({"a": ScriptedLLM(ANSWER), "b": ScriptedLLM(ANSWER)}) as stage:
            await stage.worker.queue_frame(PassagesFrame())
            await stage.ask(until=lambda _: True)
            await stage.worker.queue_frame(TTSSpeakFrame("Bye."))
            await stage.see(lambda stage: stage.count(TTSSpeakFrame) == 1)
            kinds = (PassagesFrame, LLMFullResponseStartFrame, LLMFullResponseEndFrame, TTSSpeakFrame)
            return [type(frame) for frame in stage.below.frames if isinstance(frame, kinds)]

    assert run(turn()) == [PassagesFrame, LLMFullResponseStartFrame, LLMFullResponseEndFrame, TTSSpeakFrame]


def test_the_last_that_is_left_is_waited_for_longer():
    async def turn() -> str:
        async with Staging({"a": ScriptedLLM([ErrorCategory.SERVER]), "b": ScriptedLLM([Wait(9), *ANSWER])}) as stage:
            await stage.ask()
            return stage.text

    assert run(turn()) == "Within thirty days."


def test_a_tool_that_was_called_is_not_called_again_by_another():
    async def turn() -> tuple[list[str], int, list[str]]:
        second = ScriptedLLM([Tool("book")])
        async with Staging({"a": ScriptedLLM([Tool("book"), ErrorCategory.SERVER]), "b": second}) as stage:
            await stage.ask()
            return (
                stage.tools,
                len(second.asked),
                [error.error for error in stage.errors if error.processor is stage.kept],
            )

    assert run(turn()) == (["book"], 0, [])


def test_a_tool_alone_is_an_answer():
    async def turn() -> tuple[list[str], list[tuple[str, str, str]]]:
        async with Staging({"a": ScriptedLLM([Tool("book")]), "b": ScriptedLLM(ANSWER)}) as stage:
            await stage.ask()
            return stage.tools, stage.failovers

    assert run(turn()) == (["book"], [])


def test_a_model_that_writes_what_it_calls_a_tool_with_is_not_late():
    async def turn() -> tuple[list[str], list[tuple[str, str, str]]]:
        writes = [Wait(1.5), Calling(), Wait(1.5), Calling(), Wait(1.5), Calling(), Tool("book")]
        async with Staging({"a": ScriptedLLM(writes), "b": ScriptedLLM(ANSWER)}, follows=False) as stage:
            await stage.ask()
            return stage.tools, stage.failovers

    assert run(turn()) == (["book"], [])


def test_of_two_models_only_the_one_that_begins_first_calls_a_tool():
    async def turn() -> tuple[list[str], list[int]]:
        first = ScriptedLLM([Wait(1.5), Calling(), Wait(1.5), Tool("book")])
        second = ScriptedLLM([Wait(1.0), Tool("book")])
        async with Staging({"a": first, "b": second, "c": ScriptedLLM(ANSWER)}) as stage:
            await stage.ask()
            return stage.tools, [len(each.asked) for each in (first, second)]

    assert run(turn()) == (["book"], [1, 1])


def test_the_caller_is_told_once_that_only_the_last_is_left():
    async def turn() -> str:
        services = {"a": ScriptedLLM([ErrorCategory.SERVER]), "b": ScriptedLLM(["Thirty days."])}
        async with Staging(services, notice="I quote.") as stage:
            await stage.ask()
            await stage.ask()
            return stage.text

    assert run(turn()) == "I quote. Thirty days.Thirty days."


def test_one_that_follows_no_instruction_answers_anew_behind_what_was_said():
    async def turn() -> tuple[str, list[object]]:
        last = ScriptedLLM(["Thirty days."])
        async with Staging(
            {"a": ScriptedLLM(["Within thir", ErrorCategory.SERVER]), "b": last}, follows=False
        ) as stage:
            await stage.ask()
            return stage.text, last.asked[0]

    assert run(turn()) == ("Within thir. Thirty days.", QUESTION)
