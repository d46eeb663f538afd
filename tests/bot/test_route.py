"""Which turns of a caller are quick ones: by their words, and on the sample data."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pipecat.adapters.llm.schemas.function_schema import FunctionSchema
from pipecat.adapters.llm.schemas.tools_schema import ToolsSchema
from pipecat.processors.aggregators.llm_context import LLMContext

from bot.extractive.terms import support, terms
from bot.route import ByQuestion
from knowledge.types import Passage
from processors.passages import passages_message

SAMPLE = Path(__file__).parents[2] / "evals/sample"
RENTAL = "A city bike costs 35 dollars a day. An electric bike costs 70 dollars a day. Helmets are free with all bikes."
TOOLS = ToolsSchema(standard_tools=[FunctionSchema("book", "Books a class.", {}, [])])


def passage(text: str, *, title: str = "Rental", section: str = "Prices", document: int = 1) -> Passage:
    return Passage(
        document_id=UUID(int=document), source="handbook", title=title, heading_path=(section,), text=text,
        start=0, end=len(text), score=1.0, similarity=0.7,
    )  # fmt: skip


def kind(*turns: str, passages: Sequence[Passage] | None = (passage(RENTAL),), tools: Any = None) -> str:
    """What a call's last turn is, with these passages."""
    messages: list[Any] = []
    for turn in turns[:-1]:
        messages += [{"role": "user", "content": turn}, {"role": "assistant", "content": "It does."}]
    found = passages_message(passages, tag="passages-0badcafe")
    messages += [found, {"role": "user", "content": turns[-1]}]
    return ByQuestion().kind(LLMContext(messages) if tools is None else LLMContext(messages, tools=tools))


@pytest.mark.parametrize(
    "question",
    ["What does a city bike cost for a day?", "Are helmets free?", "Hello, how much is an electric bike a day?"],
)
def test_a_question_for_one_fact_that_a_passage_has_is_quick(question: str):
    assert kind(question) == "fast"


@pytest.mark.parametrize(
    "question",
    [
        "Is a city bike cheaper than an electric bike?",
        "Which bike should I rent for a day?",
        "How much is a city bike, and how much is an electric one?",
        "What does a city bike cost? Is the helmet free?",
        "Why does an electric bike cost more?",
        "How do I rent a city bike for a day?",
        "My electric bike broke, is that free?",
        "I want to complain, are helmets really free?",
        "Tell me about your bikes.",
    ],
)
def test_a_question_that_wants_more_than_a_fact_is_not(question: str):
    assert kind(question) == "smart"


@pytest.mark.parametrize(
    "passages",
    [None, (), (passage("We open at nine o'clock."),), (passage("A city bike has seven gears."),)],
    ids=["not searched", "nothing found", "of something else", "without the price"],
)
def test_a_question_that_no_passage_answers_is_not(passages: Sequence[Passage] | None):
    assert kind("What does a city bike cost for a day?", passages=passages) == "smart"


def test_a_question_that_leans_on_an_earlier_one_is_not():
    assert kind("What does a city bike cost for a day?", "And an electric one?") == "smart"


def test_a_question_that_stands_alone_behind_another_is_quick():
    assert kind("What does a city bike cost for a day?", "Are helmets free with an electric bike?") == "fast"


def test_a_question_with_tools_at_hand_is_not():
    assert kind("What does a city bike cost for a day?", tools=TOOLS) == "smart"


def test_the_tools_of_every_call_make_no_question_slow():
    own = ToolsSchema(standard_tools=[FunctionSchema("search_knowledge", "Looks again.", {}, [])])
    assert kind("What does a city bike cost for a day?", tools=own) == "fast"


def test_small_talk_is_quick_whatever_is_at_hand():
    assert kind("Thank you very much.", tools=TOOLS) == "fast"


def test_what_was_not_looked_up_is_quick():
    assert ByQuestion().kind(LLMContext([{"role": "user", "content": "I am just passing the time"}])) == "fast"


@pytest.mark.parametrize(
    "last", [{"role": "tool", "tool_call_id": "1", "content": "done"}, {"role": "developer", "content": "Go on."}]
)
def test_what_the_caller_did_not_say_is_not(last: Any):
    context = LLMContext([{"role": "user", "content": "Hello."}, last])
    assert ByQuestion().kind(context) == "smart"


def test_a_context_without_a_word_of_the_caller_is_not():
    assert ByQuestion().kind(LLMContext([])) == "smart"


def sections() -> list[Passage]:
    """The sections of the sample handbook."""
    found = []
    for number, file in enumerate(sorted((SAMPLE / "handbook").glob("*.md")), start=1):
        title, *parts = re.split(r"^##? ", file.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
        for heading, _, text in (part.partition("\n") for part in parts):
            found.append(passage(text.strip(), title=title.splitlines()[0], section=heading, document=number))
    return found


def shares(name: str, *, looked_up: bool = True) -> tuple[int, int]:
    """How many of a sample's turns are quick, and how many there are; the search is one by words."""
    held = [(each, terms(f"{each.title} {each.heading_path[0]} {each.text}")) for each in sections()]
    kinds = []
    for line in (SAMPLE / name).read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        turns = row.get("turns") or [row.get("question") or row["utterance"]]
        wanted = terms(" ".join(turns))
        best = sorted(held, key=lambda each: -sum(support(term, each[1]) for term in wanted))[:4]
        kinds.append(kind(*turns, passages=[each for each, _ in best] if looked_up else ()))
    return kinds.count("fast"), len(kinds)


@pytest.mark.parametrize(
    ("name", "looked_up", "quick"),
    [
        ("questions.jsonl", True, (22, 30)),
        ("followups.jsonl", True, (0, 6)),
        ("smalltalk.jsonl", False, (12, 12)),
        ("unanswerable.jsonl", True, (3, 12)),
    ],
)
def test_so_many_turns_of_the_sample_are_quick(name: str, looked_up: bool, quick: tuple[int, int]):
    assert shares(name, looked_up=looked_up) == quick
