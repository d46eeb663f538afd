"""Pipecat's service and Anthropic's client, in a pipeline, against a server in Anthropic's place."""

from typing import Any

import pytest
from pipecat.frames.frames import FunctionCallsStartedFrame, LLMContextFrame
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.utils.errors import ErrorCategory
from pydantic import SecretStr

from bot.providers.anthropic import AnthropicLLM
from processors.frames import CallingFrame
from tests.bot.providers.calls import QUESTION, Came, answered, interrupted
from tests.bot.providers.similarity import NoSimilarity
from tests.vendors.anthropic_messages import KEY, AnthropicMessages
from tests.vendors.faults import Fault, Faults
from tests.vendors.openai_chat import Messages, ToolCall

STALLED_SECS = 0.4
PATIENT = {"stalled_secs": 8.0, "first_token_secs": 8.0}
# Long enough for a busy machine; what was not given up would take minutes.
SOON_SECS = 8.0


async def answer(double: AnthropicMessages, *messages: Any, **settings) -> Came:
    settings = {"stalled_secs": STALLED_SECS, "first_token_secs": STALLED_SECS / 2, **settings}
    async with double.serving() as url:
        llm = AnthropicLLM(api_key=SecretStr(KEY), base_url=url, **settings)
        return await answered(llm.build(instruction="Be brief.", similarity=NoSimilarity()), *messages)


async def test_an_answer_arrives_whole():
    double = AnthropicMessages(answer=lambda messages: f"You asked: {messages[-1]['content'][0]['text']}")
    came = await answer(double, **PATIENT)
    assert (came.text, came.categories) == ("You asked: When do you open?", [])


async def test_the_model_is_told_our_instruction_not_to_think_and_what_to_keep():
    double = AnthropicMessages()
    await answer(double, **PATIENT)
    asked = double.asked[0]
    assert asked["system"] == [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]
    assert (asked["model"], asked["thinking"]) == ("claude-haiku-5-5", {"type": "disabled"})


async def test_what_it_answers_rests_on_the_passages_behind_the_question():
    def read(messages: Messages) -> str:
        return "At ten [1]." if "opens at ten" in str(messages[-1]["content"]) else "I don't know."

    passages = {"role": "developer", "content": "[1] The pool opens at ten."}
    turns = [QUESTION, {"role": "assistant", "content": "Which one?"}, {"role": "user", "content": "The pool."}]
    came = await answer(AnthropicMessages(answer=read), *turns, passages, **PATIENT)
    assert (came.text, came.categories) == ("At ten [1].", [])


async def test_what_a_tool_is_called_with_gives_signs_of_life():
    double = AnthropicMessages(answer=lambda messages: ToolCall("book", {"day": "Monday"}))
    came = await answer(double, **PATIENT)
    kinds = [type(frame) for frame in came.down if isinstance(frame, CallingFrame | FunctionCallsStartedFrame)]
    assert kinds[0] is CallingFrame
    assert kinds[-1] is FunctionCallsStartedFrame


async def test_a_dialogue_that_our_greeting_began_is_answered():
    double = AnthropicMessages()
    came = await answer(double, {"role": "assistant", "content": "Hello."}, QUESTION, **PATIENT)
    assert (came.text, came.categories) == ("We open at nine.", [])
    assert [each["role"] for each in double.asked[0]["messages"]] == ["user", "assistant", "user"]


@pytest.mark.parametrize(
    ("fault", "category"),
    [
        ("refuse", ErrorCategory.CONNECTIVITY),
        ("unauthorized", ErrorCategory.AUTHENTICATION),
        ("rate_limited", ErrorCategory.RATE_LIMIT),
        ("server_error", ErrorCategory.SERVER),
        ("stall", ErrorCategory.CONNECTIVITY),
        ("half_open", ErrorCategory.CONNECTIVITY),
        ("stall_midway", ErrorCategory.CONNECTIVITY),
        ("drop", ErrorCategory.CONNECTIVITY),
    ],
)
async def test_an_answer_that_fails_says_why_and_soon(fault: Fault, category: ErrorCategory):
    came = await answer(AnthropicMessages(faults=Faults(fault)))
    assert came.categories == [category]
    assert came.is_ended
    assert came.secs < SOON_SECS


@pytest.mark.parametrize(
    "double", [AnthropicMessages(is_overloaded=True), AnthropicMessages(is_overloaded_midway=True)]
)
async def test_an_overloaded_vendor_is_a_failing_server_at_once_or_midway(double: AnthropicMessages):
    assert (await answer(double, **PATIENT)).categories == [ErrorCategory.SERVER]


@pytest.mark.parametrize("fault", ["stall_midway", "drop"])
async def test_half_of_an_answer_has_been_said_when_the_rest_fails(fault: Fault):
    double = AnthropicMessages(faults=Faults(fault), answer=lambda messages: "one two three four five six")
    assert (await answer(double)).text == "one two three"


async def test_a_first_token_that_is_late_is_asked_for_once_more():
    double = AnthropicMessages(faults=Faults("stall", times=1))
    came = await answer(double, stalled_secs=8.0)
    assert (came.text, came.categories, len(double.asked)) == ("We open at nine.", [], 2)


@pytest.mark.parametrize("fault", ["empty", "garbage"])
async def test_an_answer_without_text_ends_without_an_error(fault: Fault):
    came = await answer(AnthropicMessages(faults=Faults(fault)))
    assert (came.text, came.categories, came.is_ended) == ("", [], True)


async def test_an_interruption_does_not_wait_for_an_answer_that_stands_still():
    async with AnthropicMessages(faults=Faults("stall_midway")).serving() as url:
        llm = AnthropicLLM(api_key=SecretStr(KEY), base_url=url, stalled_secs=60.0, first_token_secs=60.0)
        service = llm.build(instruction="Be brief.", similarity=NoSimilarity())
        came = await interrupted(service, LLMContextFrame(LLMContext(messages=[QUESTION])))
    assert (came.categories, came.secs < SOON_SECS) == ([], True)
