"""What another bot needs to know to go on with a call."""

from typing import Any

import pytest
from pipecat.processors.aggregators.llm_context import LLMContext

from bot.reports import changed
from bot.story import Story, awaits_answer, common_length, last_words, spoken, without_last_answer

ASKED = {"role": "user", "content": "Do you rent tandems?"}
ANSWERED = {"role": "assistant", "content": "We do."}
MORE = {"role": "user", "content": "For how much?"}
INSTRUCTION = {"role": "developer", "content": "Be brief."}
TOOL_CALL = {"role": "assistant", "tool_calls": [{"id": "1"}]}


def test_the_story_is_what_the_two_sides_said():
    assert spoken([INSTRUCTION, ASKED, TOOL_CALL, ANSWERED, {"role": "user", "content": ""}]) == [ASKED, ANSWERED]


@pytest.mark.parametrize(
    ("one", "other", "length"),
    [([], [], 0), ([ASKED], [ASKED, ANSWERED], 1), ([ASKED, ANSWERED], [ASKED, MORE], 1), ([ASKED], [MORE], 0)],
)
def test_two_stories_begin_alike(one: list[Any], other: list[Any], length: int):
    assert common_length(one, other) == length


def told(context: LLMContext, *steps: list[dict[str, str]]) -> list[dict[str, Any]]:
    """What is reported as the context comes to hold each of these, one after another."""
    reports: list[dict[str, Any]] = []
    story = Story(context=context, report=reports.append)
    for messages in steps:
        context.set_messages(list(messages))  # pyright: ignore[reportArgumentType]
        story.tell()
    return reports


def test_each_turn_is_told_once():
    reports = told(LLMContext(), [ASKED], [ASKED], [ASKED, ANSWERED])
    assert [(r["keep"], r["add"]) for r in reports] == [(0, [ASKED]), (1, [ANSWERED])]


def test_an_answer_that_was_not_heard_is_taken_back():
    reports = told(LLMContext(), [ASKED, ANSWERED], [ASKED])
    assert (reports[-1]["keep"], reports[-1]["add"]) == (1, [])


def test_what_a_bot_was_told_it_does_not_tell_again():
    context = LLMContext([ASKED, ANSWERED])  # pyright: ignore[reportArgumentType]
    assert told(context, [ASKED, ANSWERED], [ASKED, ANSWERED, MORE]) == [{"type": "story", "keep": 2, "add": [MORE]}]


def test_who_hears_all_reports_knows_the_story():
    story: list[dict[str, str]] = []
    for report in told(LLMContext(), [ASKED], [ASKED, ANSWERED], [ASKED], [ASKED, ANSWERED, MORE]):
        story = changed(story, keep=report["keep"], add=report["add"])
    assert story == [ASKED, ANSWERED, MORE]


def test_without_its_last_answer_a_conversation_ends_with_the_question():
    assert without_last_answer([INSTRUCTION, ASKED, TOOL_CALL, ANSWERED]) == [INSTRUCTION, ASKED]


@pytest.mark.parametrize(
    ("messages", "waits"), [([], False), ([ASKED], True), ([ASKED, ANSWERED], False), ([ASKED, INSTRUCTION], True)]
)
def test_who_spoke_last_waits_for_an_answer(messages: list[Any], waits: bool):
    assert awaits_answer(messages) is waits


@pytest.mark.parametrize(
    ("messages", "words"), [([], ""), ([ASKED], ""), ([ASKED, ANSWERED, MORE], ANSWERED["content"])]
)
def test_the_last_words_are_the_assistants(messages: list[Any], words: str):
    assert last_words(messages) == words
