"""Tools' results come back with the turn's passages, in one numbering, and only where they are not answered already."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from pipecat.frames.frames import (
    Frame,
    FunctionCallFromLLM,
    FunctionCallsStartedFrame,
    InterruptionFrame,
    LLMContextFrame,
    TTSSpeakFrame,
)
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameDirection
from pipecat.tests.utils import SleepFrame

from knowledge.types import Passage
from processors.frames import PassagesFrame
from processors.passages import is_passages_message, passages_message, read_passages
from processors.second_look import MOST_ROUNDS, ResultsUp, SecondLook, ToolResultsFrame, TurnPassages
from tests.patient import run_test

USER: Any = {"role": "user", "content": "Where is it?"}
CALL: Any = {"role": "assistant", "tool_calls": [{"id": "1", "type": "function", "function": {"name": "t"}}]}
RESULT: Any = {"role": "tool", "tool_call_id": "1", "content": "{}"}


def passage(text: str) -> Passage:
    return Passage(
        document_id=UUID(int=1), source="/docs/a.md", title="A", heading_path=(), text=text,
        start=len(text), end=2 * len(text), score=1.0, similarity=0.6,
    )  # fmt: skip


ONE, TWO = passage("One."), passage("Two, longer.")


def begun(*found: Passage) -> list[Frame]:
    """A turn's passages, and the context that holds them."""
    message: Any = passages_message(found, tag="passages-1")
    return [PassagesFrame(passages=found, question="Where?"), LLMContextFrame(LLMContext([message, USER]))]


def results(*messages: Any) -> ToolResultsFrame:
    return ToolResultsFrame(LLMContext([*(messages or (USER, CALL, RESULT))]))


def called(name: str) -> FunctionCallsStartedFrame:
    call = FunctionCallFromLLM(function_name=name, tool_call_id="1", arguments={}, context=LLMContext())
    return FunctionCallsStartedFrame([call])


async def came(passages: TurnPassages, *frames: Frame) -> Sequence[Frame]:
    down, _ = await run_test(SecondLook(passages, given_up="Sorry."), frames_to_send=frames)
    return down


def told(frame: Frame) -> list[str]:
    """The passages' texts, as the model reads them."""
    assert isinstance(frame, LLMContextFrame)
    (message,) = [each for each in frame.context.get_messages() if is_passages_message(each)]
    assert isinstance(message, dict)
    return [each.text for each in read_passages(message) or ()]


async def test_results_come_with_the_passages_that_the_turn_began_with():
    down = await came(TurnPassages(), *begun(ONE), results())
    assert [type(frame) for frame in down[2:]] == [PassagesFrame, LLMContextFrame]
    assert told(down[3]) == ["One."]


async def test_what_a_second_look_added_is_told_to_the_model_and_to_whoever_checks_sources():
    passages = TurnPassages()
    down = await came(passages, *begun(ONE))
    assert passages.add([TWO, ONE]) == [2, 1]
    down = await came(passages, results())
    assert isinstance(down[0], PassagesFrame)
    assert [each.text for each in down[0].passages] == told(down[1]) == ["One.", "Two, longer."]


async def test_the_passages_stand_before_what_the_caller_said_last():
    down = await came(
        TurnPassages(), *begun(ONE), results(USER, {"role": "assistant", "content": "There."}, USER, CALL)
    )
    frame = down[-1]
    assert isinstance(frame, LLMContextFrame)
    assert is_passages_message(frame.context.get_messages()[2])


async def test_no_passages_of_another_turn_are_told():
    passages = TurnPassages()
    await came(passages, *begun(ONE))
    passages.add([TWO])
    down = await came(passages, PassagesFrame(), LLMContextFrame(LLMContext([USER])), results())
    frame = down[-1]
    assert isinstance(frame, LLMContextFrame)
    assert not [each for each in frame.context.get_messages() if is_passages_message(each)]


@pytest.mark.parametrize(("tool", "question"), [("search_knowledge", "Where?"), ("order_status", None)])
async def test_only_an_answer_out_of_documents_may_be_a_gap(tool: str, question: str | None):
    down = await came(TurnPassages(), *begun(ONE), SleepFrame(0.05), called(tool), results())
    assert [frame.question for frame in down if isinstance(frame, PassagesFrame)] == ["Where?", question]


async def up(*messages: Any) -> list[type[Frame]]:
    _, above = await run_test(
        ResultsUp(),
        frames_to_send=[LLMContextFrame(LLMContext([*messages]))],
        frames_to_send_direction=FrameDirection.UPSTREAM,
    )
    return [type(frame) for frame in above]


async def test_results_go_past_the_model():
    assert await up(USER, CALL, RESULT) == [ToolResultsFrame]


async def test_results_before_which_the_caller_spoke_are_part_of_that_turn():
    assert await up(USER, CALL, RESULT, USER) == []


async def test_a_caller_who_speaks_makes_results_a_part_of_what_is_asked_next():
    assert ToolResultsFrame(LLMContext()).interruptible
    down, _ = await run_test(ResultsUp(), frames_to_send=[InterruptionFrame()])
    assert [type(frame) for frame in down] == [InterruptionFrame]


async def test_a_tool_that_the_caller_cut_off_is_not_told_to_be_at_work():
    context = LLMContext([USER, CALL, RESULT | {"content": "IN_PROGRESS"}, USER])
    (frame,) = await came(TurnPassages(), LLMContextFrame(context))
    assert isinstance(frame, LLMContextFrame)
    told_of_it, kept = ([m for m in each.get_messages() if isinstance(m, dict)] for each in (frame.context, context))
    assert (told_of_it[2].get("content"), kept[2].get("content")) == ("CANCELLED", "IN_PROGRESS")


async def test_a_model_that_calls_tools_for_ever_is_asked_no_more():
    down = await came(TurnPassages(), *begun(ONE), *(results() for _ in range(MOST_ROUNDS + 1)))
    assert len([frame for frame in down if isinstance(frame, LLMContextFrame)]) == 1 + MOST_ROUNDS
    assert [frame.text for frame in down if isinstance(frame, TTSSpeakFrame)] == ["Sorry."]
