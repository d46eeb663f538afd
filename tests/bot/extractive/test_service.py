"""The extractive answerer in a pipeline: what it says to a context."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from pipecat.frames.frames import (
    ErrorFrame,
    Frame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TextFrame,
)
from pipecat.processors.aggregators.llm_context import LLMContext

from bot.extractive.service import MAX_COMPARED, ExtractiveLLMService
from bot.wording.table import wording
from knowledge.errors import KnowledgeUnavailableError
from knowledge.types import Passage
from processors.frames import UnansweredFrame
from processors.passages import passages_message
from tests.patient import run_test

ENGLISH = wording("en")

QUESTION = {"role": "user", "content": "How long may I keep an unused helmet?"}
TEXT = "Helmets can be returned within thirty days. Keep the receipt. We also have a cat."


class ScriptedSimilarity:
    """Knows how near some sentences are to any question; the others are far."""

    def __init__(self, near: dict[str, float] | None = None, *, error: KnowledgeUnavailableError | None = None):
        self._near = near or {}
        self._error = error
        self.asked: list[str] = []

    async def similarity(self, question: str, sentences: Sequence[str]) -> list[float]:
        self.asked += sentences
        if self._error is not None:
            raise self._error
        return [next((v for text, v in self._near.items() if text in s), 0.05) for s in sentences]


def passage(text: str = TEXT) -> Passage:
    return Passage(
        document_id=UUID(int=1), source="/docs/returns.md", title="Returns", heading_path=("Unused",), text=text,
        start=0, end=len(text), score=1.0, similarity=0.7,
    )  # fmt: skip


def found(*passages: Passage) -> dict[str, Any]:
    return passages_message(passages, tag="passages-0badcafe")


async def answered(similarity: ScriptedSimilarity, *messages: Any) -> tuple[Sequence[Frame], Sequence[Frame]]:
    context = LLMContext(messages=list(messages))
    return await run_test(
        ExtractiveLLMService(similarity=similarity, words=ENGLISH), frames_to_send=[LLMContextFrame(context=context)]
    )


def pieces(frames: Sequence[Frame]) -> list[str]:
    return [frame.text for frame in frames if isinstance(frame, LLMTextFrame)]


NEAR = {"thirty days": 0.8, "receipt": 0.76}


async def test_each_sentence_has_its_marker():
    down, _ = await answered(ScriptedSimilarity(NEAR), found(passage()), QUESTION)
    assert pieces(down)[0].startswith("Helmets can be returned within thirty days. [1]")


async def test_a_marker_names_the_passage_that_was_quoted():
    down, _ = await answered(
        ScriptedSimilarity(NEAR), found(passage("We have a cat."), passage()), QUESTION
    )  # fmt: skip
    assert "[2]" in pieces(down)[0]


async def test_sentences_behind_each_other_are_parted_by_a_space():
    down, _ = await answered(
        ScriptedSimilarity({"days": 0.8, "year": 0.8}), found(passage("Thirty days. One year on sale.")), QUESTION
    )
    assert "".join(pieces(down)) == "Thirty days. [1] One year on sale. [1]"


async def test_an_answer_stands_between_start_and_end():
    down, _ = await answered(ScriptedSimilarity(NEAR), found(passage()), QUESTION)
    kinds = [type(f) for f in down if isinstance(f, LLMFullResponseStartFrame | LLMTextFrame | LLMFullResponseEndFrame)]
    assert (kinds[0], kinds[-1]) == (LLMFullResponseStartFrame, LLMFullResponseEndFrame)


async def test_sentences_are_compared_with_where_they_stand():
    similarity = ScriptedSimilarity(NEAR)
    await answered(similarity, found(passage("Thirty days.")), QUESTION)
    assert similarity.asked == [QUESTION["content"], "Returns, Unused: Thirty days."]


async def test_an_item_of_a_list_is_compared_with_its_lead_in():
    similarity = ScriptedSimilarity(NEAR)
    await answered(similarity, found(passage("Please bring:\n- a helmet")), QUESTION)
    assert similarity.asked[-1] == "Returns, Unused: Please bring: a helmet."


async def test_a_turn_that_says_little_is_compared_together_with_the_one_before():
    similarity = ScriptedSimilarity(NEAR)
    await answered(
        similarity,
        QUESTION,
        {"role": "assistant", "content": "Thirty days."},
        found(passage("Lights, too.")),
        {"role": "user", "content": "And lights?"},
    )
    assert similarity.asked[:2] == ["And lights?", QUESTION["content"]]


async def test_small_talk_is_no_turn_to_lean_on():
    similarity = ScriptedSimilarity(NEAR)
    await answered(similarity, {"role": "user", "content": "Hello."}, found(passage()), QUESTION)
    assert "Hello." not in similarity.asked


async def test_no_more_sentences_are_compared_than_there_is_time_for():
    similarity = ScriptedSimilarity(NEAR)
    await answered(similarity, found(passage("A helmet. " * 2 * MAX_COMPARED)), QUESTION)
    assert len(similarity.asked) == 1 + MAX_COMPARED


async def test_of_two_documents_that_disagree_both_are_said_each_with_its_marker():
    similarity = ScriptedSimilarity({"30 days": 0.8, "14 days": 0.8})
    one = passage("Returns are accepted within 30 days.")
    other = replace(passage("Returns are accepted within 14 days."), document_id=UUID(int=2))
    question = {"role": "user", "content": "How long are returns accepted?"}
    down, _ = await answered(similarity, found(one, other, passage("We have a cat.")), question)
    assert pieces(down) == ["Returns are accepted within 30 days. [1] Returns are accepted within 14 days. [2]"]


async def test_small_talk_needs_no_passages():
    similarity = ScriptedSimilarity()
    down, _ = await answered(
        similarity, passages_message(None, tag="passages-1"), {"role": "user", "content": "Hello."}
    )
    assert (pieces(down), similarity.asked) == (["Hello. What would you like to know?"], [])


@pytest.mark.parametrize(
    ("messages", "reply"),
    [
        ([passages_message(None, tag="passages-1"), QUESTION], ENGLISH.unavailable),
        ([found(), QUESTION], ENGLISH.nothing_found),
        ([found(passage("We have a cat.")), QUESTION], ENGLISH.nothing_found),
        ([QUESTION], ENGLISH.nothing_asked),
        ([QUESTION, {"role": "developer", "content": "Ask again."}], ENGLISH.not_heard),
        ([{"role": "user", "content": [{"type": "image"}]}], ENGLISH.not_heard),
        ([], ENGLISH.not_heard),
    ],
    ids=["unavailable", "empty", "off-topic", "unsearched", "not-heard", "no-words", "nothing"],
)
async def test_what_cannot_be_answered_is_said(messages: list[Any], reply: str):
    down, _ = await answered(ScriptedSimilarity(), *messages)
    assert pieces(down) == [reply]


async def test_a_tool_that_another_model_called_does_not_keep_it_from_answering():
    called = {"role": "assistant", "tool_calls": [{"id": "1", "type": "function", "function": {"name": "t"}}]}
    result = {"role": "tool", "tool_call_id": "1", "content": "{}"}
    down, _ = await answered(ScriptedSimilarity(NEAR), found(passage()), QUESTION, called, result)
    assert "thirty days" in pieces(down)[0]


async def test_what_does_not_answer_is_quoted_as_the_nearest_behind_an_unanswered_frame():
    down, _ = await answered(
        ScriptedSimilarity({"thirty days": 0.5}), found(passage()), {"role": "user", "content": "Can hats be returned?"}
    )
    assert any(isinstance(frame, UnansweredFrame) for frame in down)
    assert pieces(down) == [f"{ENGLISH.nearest} Helmets can be returned within thirty days. [1]"]


async def test_an_answer_has_no_unanswered_frame():
    down, _ = await answered(ScriptedSimilarity(NEAR), found(passage()), QUESTION)
    assert not any(isinstance(frame, UnansweredFrame) for frame in down)


async def test_words_decide_when_meanings_cannot_be_compared():
    error = ScriptedSimilarity(error=KnowledgeUnavailableError("late"))
    down, _ = await answered(error, found(passage()), {"role": "user", "content": "Can helmets be returned?"})
    assert pieces(down) == ["Helmets can be returned within thirty days. [1]"]


async def test_meanings_that_cannot_be_compared_are_an_error_that_ends_nothing():
    _, up = await answered(ScriptedSimilarity(error=KnowledgeUnavailableError("late")), found(passage()), QUESTION)
    assert [frame.fatal for frame in up if isinstance(frame, ErrorFrame)] == [False]


async def test_any_other_frame_passes_through():
    frame = TextFrame("x")
    down, _ = await run_test(
        ExtractiveLLMService(similarity=ScriptedSimilarity(), words=ENGLISH), frames_to_send=[frame]
    )
    assert frame in down
