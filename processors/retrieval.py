"""This turn's passages into this turn's context."""

import secrets
from collections.abc import Sequence
from typing import Any, Protocol

from pipecat.frames.frames import Frame, LLMContextFrame
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.processors.frameworks.rtvi import RTVIServerMessageFrame

from knowledge.errors import KnowledgeError
from knowledge.types import Passage
from processors.frames import PassagesFrame
from processors.passages import is_passages_message, passages_message


class Search(Protocol):
    """What finds passages; `knowledge.client.KnowledgeClient` is the real one."""

    async def search(self, question: str, *, history: Sequence[str] = (), limit: int = 4) -> list[Passage]:
        """The best passages, best first; raises `KnowledgeError` when late or gone."""
        ...


class RetrievalProcessor(FrameProcessor):
    """Searches the caller's last message and hands the LLM a copy of the context with what was found.

    Stands between the user aggregator and the LLM. The shared context stays as it is: the passages are this turn's
    only. Each search is told to `on_search` as (passages or None, seconds).
    """

    def __init__(self, *, search: Search, limit: int = 4, min_similarity: float = 0.2, **kwargs: Any):
        """`min_similarity` is the cosine below which the best passage counts as off topic."""
        super().__init__(**kwargs)
        self._search = search
        self._limit = limit
        self._min_similarity = min_similarity
        self._told_unavailable = False

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Adds passages to a context that goes down to the LLM; passes on all else."""
        await super().process_frame(frame, direction)
        if isinstance(frame, LLMContextFrame) and direction is FrameDirection.DOWNSTREAM:
            turns = user_texts(frame.context)
            if turns is not None:
                await self._inject(frame, question=turns[-1], history=turns[:-1])
                return
        await self.push_frame(frame, direction)

    async def _inject(self, frame: LLMContextFrame, *, question: str, history: Sequence[str]) -> None:
        passages: tuple[Passage, ...] | None
        try:
            found = await self._search.search(question, history=history, limit=self._limit)
            on_topic = any(p.similarity >= self._min_similarity for p in found)
            passages = tuple(found) if on_topic else ()
        except KnowledgeError as error:
            passages = None
            await self.push_error("the knowledge could not be searched", exception=error)
            if not self._told_unavailable:
                await self.push_frame(
                    RTVIServerMessageFrame(data={"type": "notice", "text": "The documents can't be searched right now."})
                )
        self._told_unavailable = passages is None
        tag = f"passages-{secrets.token_hex(4)}"
        await self.push_frame(PassagesFrame(passages=passages or ()))
        context = with_passages(frame.context, passages_message(passages, tag=tag))
        await self.push_frame(LLMContextFrame(context=context, speculation=frame.speculation))


def user_texts(context: LLMContext) -> list[str] | None:
    """The caller's messages as plain text, oldest first; None unless the last message of the context is one."""
    messages = context.get_messages()
    if not messages or _text_of(messages[-1]) is None:
        return None
    return [text for message in messages if (text := _text_of(message)) is not None]


def with_passages(context: LLMContext, message: dict[str, Any]) -> LLMContext:
    """A copy of the context in which `message` stands just before the caller's last one, and no older passages."""
    messages = [m for m in context.get_messages() if not is_passages_message(m)]
    messages.insert(len(messages) - 1, message)
    return LLMContext(messages=messages, tools=context.tools, tool_choice=context.tool_choice)


def _text_of(message: Any) -> str | None:
    if not isinstance(message, dict) or message.get("role") != "user":
        return None
    content = message.get("content")
    return content.strip() or None if isinstance(content, str) else None
