"""What a test of a call has to know of it, and no caller is told."""

import asyncio
from collections.abc import Callable
from typing import Any

from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    Frame,
    FunctionCallsStartedFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSSpeakFrame,
)
from pipecat.observers.base_observer import BaseObserver, FramePushed
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.processors.frameworks.rtvi.models import (
    BotLLMStartedMessage,
    BotLLMStoppedMessage,
    BotLLMTextMessage,
    ServerMessage,
    TextMessageData,
)
from pydantic import BaseModel

from knowledge.types import Passage
from processors.citations import shown_source
from processors.frames import PassagesFrame, RepeatFrame
from processors.retrieval import RetrievalProcessor
from processors.writing import answer

Tell = Callable[[BaseModel], None]


class Witness(BaseObserver):
    """Tells what is given to the voice, as RTVI's messages of a language model, and each search:

        {"type": "passages", "question": str | null, "ms": float | null,
         "passages": [{"rank", "document_id", "source", "title", "heading_path", "text", "start", "end", "page",
                       "effective_date", "score", "similarity"}]}

    `question` is null where nothing was looked up, or could be; `ms` is how long the turn waited for it. `rank` is the
    number of the passage's marker. A text that is spoken without a language model counts as an answer of one: Pipecat's
    harness takes nothing else for a reply. A call of a tool without a word is none.
    `before_voice` is what hands the voice its texts.
    """

    def __init__(self, *, before_voice: FrameProcessor, tell: Tell):
        super().__init__()
        self._before_voice = before_voice
        self._tell = tell
        self._asked_ns: int | None = None
        self._called = self._said = False
        self.spoke = asyncio.Event()
        """Whether the bot has begun to speak, or has written an answer."""

    async def on_push_frame(self, data: FramePushed) -> None:
        """Hears each push; all but a few are none of its business."""
        frame = data.frame
        if isinstance(frame, LLMContextFrame) and isinstance(data.destination, RetrievalProcessor):
            self._asked_ns = data.timestamp
        elif isinstance(frame, PassagesFrame) and data.first_push:
            self._tell(ServerMessage(data=self._search(frame, found_ns=data.timestamp)))
        elif isinstance(frame, BotStartedSpeakingFrame):
            self.spoke.set()
        elif isinstance(frame, FunctionCallsStartedFrame):
            self._called = True
        elif data.source is self._before_voice:
            if isinstance(frame, TTSSpeakFrame | RepeatFrame):
                for each in answer(frame.text):
                    self._tell_answer(each)
            else:
                self._tell_answer(frame)

    def _search(self, frame: PassagesFrame, *, found_ns: int) -> dict[str, Any]:
        asked_ns, self._asked_ns = self._asked_ns, None
        return {
            "type": "passages",
            "question": frame.question,
            "ms": None if asked_ns is None else round((found_ns - asked_ns) / 1e6, 1),
            "passages": [_shown(rank, each) for rank, each in enumerate(frame.passages, start=1)],
        }

    def _tell_answer(self, frame: Frame) -> None:
        if isinstance(frame, LLMFullResponseStartFrame):
            self._called = self._said = False
            self._tell(BotLLMStartedMessage())
        elif isinstance(frame, LLMTextFrame):
            self._said = True
            self._tell(BotLLMTextMessage(data=TextMessageData(text=frame.text)))
        elif isinstance(frame, LLMFullResponseEndFrame) and (self._said or not self._called):
            self._tell(BotLLMStoppedMessage())
            if frame.skip_tts:
                self.spoke.set()


def _shown(rank: int, passage: Passage) -> dict[str, Any]:
    """A passage without where its document lies on the host."""
    told = passage.to_dict() | {"rank": rank, "source": shown_source(passage.source)}
    del told["legs"]
    return told
