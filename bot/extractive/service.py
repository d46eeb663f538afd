"""The extractive answerer as a Pipecat LLM service."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

from pipecat.frames.frames import Frame, LLMContextFrame, LLMFullResponseEndFrame, LLMFullResponseStartFrame
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.llm_service import LLMService
from pipecat.services.settings import LLMSettings
from pipecat.utils.errors import ErrorCategory

from bot.extractive.choice import Candidate, choose
from bot.extractive.sentences import sentences
from bot.extractive.talk import NOTHING_FOUND, SORRY_NOT_HEARD, UNAVAILABLE, small_talk
from knowledge.errors import KnowledgeError
from processors.passages import NumberedPassage, is_passages_message, read_passages


class Similarity(Protocol):
    """What compares a question with sentences; `knowledge.client.KnowledgeClient` is the real one."""

    async def similarity(self, question: str, sentences: Sequence[str]) -> list[float]:
        """The cosine of the question and each sentence; raises `KnowledgeError` when late or gone."""
        ...


class ExtractiveLLMService(LLMService):
    """Answers from the passages in its context, in their own words, with `[n]` markers; says so when none answers."""

    def __init__(self, *, similarity: Similarity, **kwargs: Any):
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

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Answers a context; passes on all else."""
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
            return
        await self.push_frame(LLMFullResponseStartFrame())
        await self.start_ttfb_metrics()
        try:
            async for piece in self._answer(frame.context):
                await self.stop_ttfb_metrics()
                await self._push_llm_text(piece)
        finally:
            await self.push_frame(LLMFullResponseEndFrame())

    async def _answer(self, context: LLMContext) -> AsyncIterator[str]:
        messages = [m for m in context.get_messages() if isinstance(m, dict)]
        last = messages[-1] if messages else None
        question = last.get("content") if last is not None and last.get("role") == "user" else None
        if not isinstance(question, str):
            yield SORRY_NOT_HEARD
            return
        if reply := small_talk(question):
            yield reply
            return
        found = next((m for m in reversed(messages) if is_passages_message(m)), None)
        passages = read_passages(found) if found is not None else ()
        if passages is None:
            yield UNAVAILABLE
            return
        chosen = choose(question, await self._candidates(question, passages))
        if not chosen:
            yield NOTHING_FOUND
        for i, sentence in enumerate(chosen):
            yield f"{' ' if i else ''}{sentence.text} [{sentence.number}]"

    async def _candidates(self, question: str, passages: Sequence[NumberedPassage]) -> list[Candidate]:
        placed = [
            (f"{p.title}, {p.section}: {s.text}", s) for p in passages for s in sentences(p.text, number=p.number)
        ]
        similarities: Sequence[float | None]
        try:
            similarities = await self._similarity.similarity(question, [text for text, _ in placed])
        except KnowledgeError as error:
            await self.push_error(
                "sentences could not be compared by meaning; words decide",
                exception=error,
                category=ErrorCategory.APPLICATION,
            )
            similarities = [None] * len(placed)
        return [Candidate(sentence, value) for (_, sentence), value in zip(placed, similarities, strict=True)]
