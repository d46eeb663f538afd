"""The extractive answerer as a Pipecat LLM service."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from pipecat.frames.frames import Frame, LLMContextFrame, LLMFullResponseEndFrame, LLMFullResponseStartFrame
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.llm_service import LLMService
from pipecat.services.settings import LLMSettings
from pipecat.utils.errors import ErrorCategory
from pipecat.utils.tracing.service_decorators import traced_llm

from bot.extractive.choice import Candidate, choose, shortlist
from bot.extractive.question import Question, mixed, question
from bot.extractive.sentences import sentences
from bot.extractive.talk import is_aside, small_talk
from bot.wording.table import Wording
from knowledge.errors import KnowledgeError
from processors.frames import UnansweredFrame
from processors.passages import NumberedPassage, is_passages_message, read_passages

# What is compared by meaning in an answer: a sentence that is new to the embedder takes a millisecond or two.
MAX_COMPARED = 16


class Similarity(Protocol):
    """What compares a question with sentences; `knowledge.client.KnowledgeClient` is the real one."""

    async def similarity(self, question: str, sentences: Sequence[str]) -> list[float]:
        """The cosine of the question and each sentence; raises `KnowledgeError` when late or gone."""
        ...


class ExtractiveLLMService(LLMService):
    """Answers from the passages in its context, in their own words, with `[n]` markers.

    Where none of them answers it says so, and quotes the nearest there is. An `UnansweredFrame` goes ahead of it.
    """

    def __init__(self, *, similarity: Similarity, words: Wording, **kwargs: Any):
        settings = LLMSettings(
            model="extractive",
            system_instruction=None,
            temperature=None,
            max_tokens=None,
            top_p=None,
            top_k=None,
            frequency_penalty=None,
            presence_penalty=None,
            seed=None,
            filter_incomplete_user_turns=False,
            user_turn_completion_config=None,
            use_provider_thinking_default=False,
        )
        super().__init__(settings=settings, **kwargs)
        self._similarity = similarity
        self._words = words

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Answers a context; passes on all else."""
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
            return
        await self.push_frame(LLMFullResponseStartFrame())
        try:
            await self._process_context(frame.context)
        finally:
            await self.push_frame(LLMFullResponseEndFrame())

    @traced_llm
    async def _process_context(self, context: LLMContext) -> None:
        await self.start_ttfb_metrics()
        async for piece in self._answer(context):
            await self.stop_ttfb_metrics()
            await self._push_llm_text(piece)

    async def _answer(self, context: LLMContext) -> AsyncIterator[str]:
        messages: list[Mapping[str, Any]] = [m for m in context.get_messages() if isinstance(m, dict)]
        # What another language model called, and what came of it, are none of its business.
        messages = [m for m in messages if m.get("role") != "tool" and "tool_calls" not in m]
        last = messages[-1] if messages else {}
        turns = [m["content"] for m in messages if m.get("role") == "user" and isinstance(m.get("content"), str)]
        if last.get("role") != "user" or not isinstance(last.get("content"), str):
            yield self._words.not_heard
            return
        if reply := small_talk(turns[-1], self._words):
            yield reply
            return
        found = next((m for m in reversed(messages) if is_passages_message(m)), None)
        if found is None:
            # Nothing was looked up, as nothing was asked.
            yield self._words.nothing_asked
            return
        passages = read_passages(found)
        if passages is None:
            yield self._words.unavailable
            return
        asked = question([turn for turn in turns if not is_aside(turn)])
        candidates = shortlist(asked, _candidates(passages), limit=MAX_COMPARED)
        chosen = choose(asked, await self._compared(asked, candidates))
        if not chosen.answers:
            await self.push_frame(UnansweredFrame())
        quoted = " ".join(f"{sentence.text} [{sentence.number}]" for sentence in chosen.sentences)
        # In one piece, so that all that it cites is known when the first source is named.
        yield quoted if chosen.answers else as_nearest(quoted, self._words) if quoted else self._words.nothing_found

    async def _compared(self, asked: Question, candidates: Sequence[Candidate]) -> list[Candidate]:
        """The candidates with their similarities, without where they could not be had."""
        if not candidates:
            return []
        standing = [f"{c.heading}: {c.said}" for c in candidates]
        try:
            cosines = [await self._similarity.similarity(text, [*asked.turns, *standing]) for text in asked.turns]
        except KnowledgeError as error:
            await self.push_error(
                "sentences could not be compared by meaning; words decide",
                exception=error,
                category=ErrorCategory.APPLICATION,
            )
            return list(candidates)
        similarities = mixed(asked.weights, cosines)
        return [replace(c, similarity=value) for c, value in zip(candidates, similarities, strict=True)]


def as_nearest(quoted: str, words: Wording) -> str:
    """What is quoted although it does not answer, behind the apology for that."""
    return f"{words.nearest} {quoted}"


def _candidates(passages: Sequence[NumberedPassage]) -> list[Candidate]:
    candidates: list[Candidate] = []
    for passage in passages:
        in_order = sentences(passage.text, number=passage.number)
        for sentence in in_order:
            lead_in = "" if sentence.lead_in is None else in_order[sentence.lead_in].text
            candidates.append(Candidate(sentence, passage.document, passage.title, passage.section, lead_in))
    return candidates
