"""Which turns of a caller a quick model answers as well as any."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipecat.adapters.llm.schemas.function_schema import FunctionSchema
from pipecat.adapters.llm.schemas.tools_schema import ToolsSchema
from pipecat.processors.aggregators.llm_context import LLMContext

from bot.extractive.expectation import Fit, expected
from bot.extractive.question import question
from bot.extractive.sentences import sentences
from bot.extractive.talk import is_aside, is_small_talk
from bot.extractive.terms import terms
from bot.tools.settings import BUILT_IN
from processors.failover.route import Kind
from processors.passages import NumberedPassage, is_passages_message, read_passages

# What is longer tells a story, and asks more than one thing of it.
MOST_WORDS = 18
# How many of the question's words a sentence has that answers it, its headings counted in.
MIN_WORDS = 0.5

_YES_OR_NO = re.compile(
    r"(?:(?:hello|hi|hey|ok|okay|so|and|well|please|sorry|excuse me|thanks|thank you),? )*"
    r"(?:is|are|do|does|did|can|could|will|would|may|must|has|have)\b",
    re.IGNORECASE,
)
_MORE_THAN_ONE_FACT = re.compile(
    # compares, or wants advice
    r"\b(?:compar\w*|differ\w*|versus|vs|better|best|cheaper|cheapest|rather|instead|than|between|which|recommend|"
    r"advise|should i|worth|"
    # wants reasons, or a way to go
    r"why|explain|how come|how (?:do|does|can|could|should|would) (?:i|we|it|this|that)|what (?:if|happens|about|else)|"
    # complains
    r"complain\w*|broke\w*|damaged|faulty|wrong|unhappy|disappoint\w*|angry|annoy\w*|terrible|awful|ridiculous|"
    r"unacceptable|upset|stolen|still (?:not|no|have ?n[o']t|has ?n[o']t|waiting)|never (?:came|arrived|worked)|"
    r"(?:does|did|is|was|has|have) ?n[o']?t (?:work|come|arrived?)|"
    # asks two things
    r"(?:and|or|also|then) (?:how|what|when|where|who|which|why|is|are|do|does|can|could|will|would|may))\b"
    r"|\?.*\w",
    re.IGNORECASE | re.DOTALL,
)


class ByQuestion:
    """A `TurnRoute`: small talk, and questions for one fact that a passage of the turn has, are quick.

    All else is not: comparisons, advice, complaints, several questions in one, what leans on an earlier turn, what the
    passages don't answer, and every question that the model may need a tool of the operator's for.
    """

    def kind(self, context: LLMContext) -> Kind:
        """Decides by the caller's last words and the passages that stand before them."""
        messages: list[Mapping[str, Any]] = [m for m in context.get_messages() if isinstance(m, dict)]
        turns = [m["content"] for m in messages if m.get("role") == "user" and isinstance(m.get("content"), str)]
        if not turns or messages[-1].get("content") is not turns[-1]:
            # A tool's result, or a note: not the caller's words.
            return "smart"
        if is_small_talk(turns[-1]):
            return "fast"
        if any(tool.name not in BUILT_IN for tool in tools_of(context)):
            return "smart"
        found = next((m for m in reversed(messages) if is_passages_message(m)), None)
        if found is None:
            # Nothing was looked up, as nothing was asked.
            return "fast"
        asked = question([turn for turn in turns if not is_aside(turn)])
        if asked.earlier or not wants_one_fact(asked.text):
            return "smart"
        return "fast" if any(answers(asked.text, passage) for passage in read_passages(found) or ()) else "smart"


def tools_of(context: LLMContext) -> Sequence[FunctionSchema]:
    """What the model may call."""
    return context.tools.standard_tools if isinstance(context.tools, ToolsSchema) else ()


def wants_one_fact(text: str) -> bool:
    """Whether it asks for a single time, number, price or name, or for yes or no."""
    if len(text.split()) > MOST_WORDS or _MORE_THAN_ONE_FACT.search(text):
        return False
    return expected(text).fit("") is not Fit.ANY or _YES_OR_NO.match(text) is not None


def answers(text: str, passage: NumberedPassage) -> bool:
    """Whether a sentence of the passage has the question's words, and the kind of answer that it asks for."""
    asks, wanted = expected(text), frozenset(terms(text))
    given = wanted & {*terms(f"{passage.title} {passage.section}"), *asks.said_by}
    fewest = MIN_WORDS * len(wanted)
    # The cheapest first: what a sentence's numbers are takes longest to tell.
    if len(given | wanted.intersection(terms(passage.text))) < fewest:
        return False
    return any(
        len(given | wanted.intersection(terms(sentence.text))) >= fewest and asks.fit(sentence.text) is not Fit.NO
        for sentence in sentences(passage.text, number=passage.number)
    )
