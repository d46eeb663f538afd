"""What is written to the caller in the place of being said."""

from collections.abc import Callable
from typing import Any

from pipecat.frames.frames import (
    Frame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSSpeakFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

_ANSWER = (LLMFullResponseStartFrame, LLMTextFrame, LLMFullResponseEndFrame)


class InWriting(FrameProcessor):
    """Stands before the voice: while `silent` it is given nothing to say, and what it would say by itself is an answer.

    Pipecat's own `skip_tts` is set where a language model writes, so that it misses what is added behind it, and what
    is spoken without one.
    """

    def __init__(self, *, silent: Callable[[], bool], **kwargs: Any):
        super().__init__(**kwargs)
        self._silent = silent

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Marks what goes down to the voice; passes on all else."""
        await super().process_frame(frame, direction)
        if direction is FrameDirection.DOWNSTREAM and self._silent():
            if isinstance(frame, TTSSpeakFrame):
                for each in answer(frame.text):
                    each.skip_tts = True
                    await self.push_frame(each)
                return
            if isinstance(frame, _ANSWER):
                frame.skip_tts = True
        await self.push_frame(frame, direction)


def answer(text: str) -> tuple[LLMFullResponseStartFrame, LLMTextFrame, LLMFullResponseEndFrame]:
    """A text as a language model would write it."""
    return LLMFullResponseStartFrame(), LLMTextFrame(text), LLMFullResponseEndFrame()
