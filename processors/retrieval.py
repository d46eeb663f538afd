"""This turn's passages into this turn's context."""

import secrets
from collections.abc import Sequence
from typing import Any, Protocol, cast

from pipecat.frames.frames import Frame, LLMContextFrame
from pipecat.processors.aggregators.llm_context import LLMContext, LLMContextMessage
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.processors.frameworks.rtvi import RTVIServerMessageFrame

from knowledge.errors import KnowledgeError
from knowledge.types import SearchResult, Turn, Verdict
from processors.frames import GuessedContextFrame, PassagesFrame
from processors.passages import is_passages_message, passages_message


class Search(Protocol):
    """What finds passages; `knowledge.client.KnowledgeClient` is the real one."""

    async def search(self, question: str, *, history: Sequence[Turn] = (), limit: int = 4) -> SearchResult:
        """The best passages, best first, and whether the turn needs any; raises `KnowledgeError` when late or gone."""
        ...


class RetrievalProcessor(FrameProcessor):
    """Searches the caller's last message and hands the LLM a copy of the context with what was found.

    Stands between the user aggregator and the LLM. The shared context stays as it is: the passages are this turn's
    only.
    """

    def __init__(self, *, search: Search, limit: int = 4, **kwargs: Any):
        super().__init__(**kwargs)
        self._search = search
        self._limit = limit
        self._told_unavailable = False

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Adds passages to a context that goes down to the LLM; passes on all else."""
        await super().process_frame(frame, direction)
        if isinstance(frame, LLMContextFrame) and direction is FrameDirection.DOWNSTREAM:
            turns = spoken_turns(frame.context)
            if turns and turns[-1].role == "user":
                await self._look_up(frame, question=turns[-1].text, history=turns[:-1])
                return
        await self.push_frame(frame, direction)

    async def _look_up(self, frame: LLMContextFrame, *, question: str, history: Sequence[Turn]) -> None:
        if not isinstance(frame, GuessedContextFrame):
            await self._inject(frame, question=question, history=history)
        elif not frame.guess.is_withdrawn:
            async with frame.guess.until_withdrawn():
                await self._inject(frame, question=question, history=history)

    async def _inject(self, frame: LLMContextFrame, *, question: str, history: Sequence[Turn]) -> None:
        found: SearchResult | None
        try:
            found = await self._search.search(question, history=history, limit=self._limit)
        except KnowledgeError as error:
            found = None
            await self.push_error("the knowledge could not be searched", exception=error)
            if not self._told_unavailable:
                await self.push_frame(
                    RTVIServerMessageFrame(
                        data={"type": "notice", "text": "The documents can't be searched right now."}
                    )
                )
        self._told_unavailable = found is None
        if found is not None and found.verdict is Verdict.SMALL_TALK:
            await self.push_frame(PassagesFrame())
            await self.push_frame(frame)
            return
        passages = None if found is None else found.passages
        tag = f"passages-{secrets.token_hex(4)}"
        caller = "\n".join([*(turn.text for turn in history if turn.role == "user"), question])
        looked_up = None if found is None else question
        await self.push_frame(PassagesFrame(passages=passages or (), question=looked_up, caller=caller))
        context = with_passages(frame.context, passages_message(passages, tag=tag))
        await self.push_frame(like(frame, context))


def like(frame: LLMContextFrame, context: LLMContext) -> LLMContextFrame:
    """A frame with this context, asked for as that one is."""
    if isinstance(frame, GuessedContextFrame):
        return GuessedContextFrame(context=context, speculation=True, guess=frame.guess)
    return LLMContextFrame(context=context, speculation=frame.speculation)


def spoken_turns(context: LLMContext) -> list[Turn]:
    """What both sides said, oldest first; empty when the context's last message is neither's (a note to the LLM)."""
    messages = context.get_messages()
    if not messages or _turn(messages[-1]) is None:
        return []
    return turns_in(context)


def turns_in(context: LLMContext) -> list[Turn]:
    """What both sides said, oldest first, whatever the context's last message is."""
    return [turn for message in context.get_messages() if (turn := _turn(message)) is not None]


def with_passages(context: LLMContext, message: dict[str, Any]) -> LLMContext:
    """A copy of the context in which `message` stands just before the caller's last one, and no older passages."""
    messages = [m for m in context.get_messages() if not is_passages_message(m)]
    messages.insert(len(messages) - 1, cast("LLMContextMessage", message))
    return LLMContext(messages=messages, tools=context.tools, tool_choice=context.tool_choice)


def _turn(message: Any) -> Turn | None:
    if not isinstance(message, dict):
        return None
    role, content = message.get("role"), message.get("content")
    if role not in ("user", "assistant") or not isinstance(content, str) or not content.strip():
        return None
    return Turn(role=role, text=content.strip())
