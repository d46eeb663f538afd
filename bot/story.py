"""What was said so far in a call: reported as it grows, so that another bot can go on where this one ended."""

from collections.abc import Iterable, Sequence
from typing import Any

from pipecat.frames.frames import LLMContextFrame
from pipecat.observers.base_observer import BaseObserver, FramePushed
from pipecat.processors.aggregators.llm_context import LLMContext

from bot.reports import Message, Report


class Story(BaseObserver):
    """Reports `{"type": "story", "keep", "add"}`: of the messages known so far the first `keep` stand, then these come.

    A message is `{"role": "user" | "assistant", "content"}`. This is the context that another bot needs, with what is
    taken out of it again, and no record: no other report but `said` and `message` has words in it. What the caller
    said is told as an answer is asked for; whoever knows that the bot has spoken calls `tell`.
    """

    def __init__(self, *, context: LLMContext, report: Report):
        super().__init__(observe_every_push=False)
        self._context = context
        self._report = report
        self._told = spoken(context.get_messages())

    async def on_push_frame(self, data: FramePushed) -> None:
        """Hears each frame once."""
        if isinstance(data.frame, LLMContextFrame):
            self.tell()

    def tell(self) -> None:
        """Reports what is new since the last time, if anything is."""
        now = spoken(self._context.get_messages())
        kept = common_length(self._told, now)
        if kept < max(len(now), len(self._told)):
            self._told = now
            self._report({"type": "story", "keep": kept, "add": now[kept:]})


def spoken(messages: Iterable[Any]) -> list[Message]:
    """What the two sides said: instructions, tool calls and whatever is not text left out."""
    return [
        {"role": message["role"], "content": message["content"]}
        for message in messages
        if isinstance(message, dict)
        and message.get("role") in ("user", "assistant")
        and isinstance(message.get("content"), str)
        and message["content"]
    ]


def common_length(one: Sequence[Message], other: Sequence[Message]) -> int:
    """How many messages both begin with."""
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def without_last_answer(messages: Sequence[Any]) -> list[Any]:
    """The messages up to the last one that is not the assistant's: what stands when its last words were not heard."""
    end = len(messages)
    while end and isinstance(messages[end - 1], dict) and messages[end - 1].get("role") == "assistant":
        end -= 1
    return list(messages[:end])


def awaits_answer(messages: Sequence[Any]) -> bool:
    """Whether the caller spoke last."""
    said = spoken(messages)
    return bool(said) and said[-1]["role"] == "user"


def last_words(messages: Sequence[Any]) -> str:
    """What the assistant said last; empty where it has not said anything."""
    return next((each["content"] for each in reversed(spoken(messages)) if each["role"] == "assistant"), "")
