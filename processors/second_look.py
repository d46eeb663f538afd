"""What a language model learns in the middle of its turn: the results of its tools, and passages that it looked up."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from pipecat.frames.frames import ControlFrame, Frame, FunctionCallsStartedFrame, LLMContextFrame, TTSSpeakFrame
from pipecat.processors.aggregators.llm_context import LLMContext, LLMContextMessage
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from knowledge.types import Passage
from processors.frames import PassagesFrame
from processors.passages import is_passages_message, passages_message
from processors.retrieval import like

SEARCH = "search_knowledge"
# Each is a request to the model, and the caller waits for all of them.
MOST_ROUNDS = 5


class TurnPassages:
    """The passages of the turn that is answered, by number from 1: those it began with, then those of second looks."""

    def __init__(self) -> None:
        self.message: Any = None
        """What the model was told of them as the turn began; None where nothing was looked up."""
        self.question: str | None = None
        self._passages: list[Passage] = []
        self._grown = False

    @property
    def all(self) -> tuple[Passage, ...]:
        """All of them, in the order of their numbers."""
        return tuple(self._passages)

    def begin(self, frame: PassagesFrame) -> None:
        """A turn begins."""
        self._passages, self.question = list(frame.passages), frame.question
        self.message, self._grown = None, False

    def add(self, passages: Sequence[Passage]) -> list[int]:
        """The numbers of these, those that are there already among them."""
        numbers: list[int] = []
        for passage in passages:
            place = (passage.document_id, passage.start, passage.end)
            known = [(each.document_id, each.start, each.end) for each in self._passages]
            if place not in known:
                self._passages.append(passage)
                self._grown = True
                numbers.append(len(self._passages))
            else:
                numbers.append(known.index(place) + 1)
        return numbers

    def told(self) -> Any:
        """What the model is to be told of them now."""
        return passages_message(self._passages, tag=f"passages-{secrets.token_hex(4)}") if self._grown else self.message


@dataclass
class ToolResultsFrame(ControlFrame):
    """A context that ends in what tools came to; it goes up past the language model, to come back with passages."""

    context: LLMContext


class ResultsUp(FrameProcessor):
    """Stands right behind the language model, which would answer a context that comes up without its passages."""

    def __init__(self) -> None:
        super().__init__(enable_direct_mode=True)

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Sends tools' results past the model."""
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame) or direction is FrameDirection.DOWNSTREAM:
            await self.push_frame(frame, direction)
        elif not ends_with_the_caller(frame.context):
            await self.push_frame(ToolResultsFrame(frame.context), direction)


class SecondLook(FrameProcessor):
    """Stands right before the language model: has it go on with its tools' results, and with the turn's passages.

    They are told in one message, in one numbering, as in any turn; what is added is told to whoever checks sources. An
    answer that rests on other tools' results than passages is no question that the documents did not answer. A model
    that calls tools for ever is asked no more, and `given_up` said in its place.
    """

    def __init__(self, passages: TurnPassages, *, given_up: str) -> None:
        super().__init__(enable_direct_mode=True)
        self._passages = passages
        self._given_up = given_up
        self._rounds = 0

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Notes the turn's passages; turns results round."""
        await super().process_frame(frame, direction)
        if isinstance(frame, ToolResultsFrame):
            await self._go_on(frame.context)
            return
        if isinstance(frame, PassagesFrame):
            self._passages.begin(frame)
        elif isinstance(frame, LLMContextFrame):
            frame, self._rounds = settled(frame), 0
            self._passages.message = next(
                (each for each in reversed(frame.context.get_messages()) if is_passages_message(each)), None
            )
        elif isinstance(frame, FunctionCallsStartedFrame) and any(
            call.function_name != SEARCH for call in frame.function_calls
        ):
            self._passages.question = None
        await self.push_frame(frame, direction)

    async def _go_on(self, context: LLMContext) -> None:
        passages = self._passages
        self._rounds += 1
        if self._rounds > MOST_ROUNDS:
            await self.push_frame(TTSSpeakFrame(self._given_up))
            return
        await self.push_frame(PassagesFrame(passages=passages.all, question=passages.question))
        messages = [each for each in context.get_messages() if not is_passages_message(each)]
        if (told := passages.told()) is not None:
            places = [n for n, each in enumerate(messages) if isinstance(each, dict) and each.get("role") == "user"]
            messages.insert(places[-1] if places else 0, cast("LLMContextMessage", told))
        await self.push_frame(
            LLMContextFrame(LLMContext(messages=messages, tools=context.tools, tool_choice=context.tool_choice))
        )


def ends_with_the_caller(context: LLMContext) -> bool:
    """Whether the caller spoke last: then their turn is being answered, with what tools came to before."""
    last = (context.get_messages() or [None])[-1]
    return isinstance(last, dict) and last.get("role") == "user"


def settled(frame: LLMContextFrame) -> LLMContextFrame:
    """The frame without tools that seem to be at work still although the caller spoke, which ended them.

    Pipecat leaves one so that is interrupted in the instant in which it is called.
    """
    messages = frame.context.get_messages()
    if not any(_seems_at_work(each) for each in messages):
        return frame
    context = frame.context
    kept: list[Any] = [
        cast("dict[str, Any]", each) | {"content": "CANCELLED"} if _seems_at_work(each) else each for each in messages
    ]
    return like(frame, LLMContext(messages=kept, tools=context.tools, tool_choice=context.tool_choice))


def _seems_at_work(message: Any) -> bool:
    return isinstance(message, dict) and message.get("role") == "tool" and message.get("content") == "IN_PROGRESS"
