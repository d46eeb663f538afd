"""A word to the caller where an answer is slow."""

import itertools
from collections.abc import Sequence

from pipecat.frames.frames import (
    CancelFrame,
    EndFrame,
    Frame,
    FunctionCallsStartedFrame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSSpeakFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from processors.alarm import Alarm
from processors.frames import FillerFrame


class FillerProcessor(FrameProcessor):
    """Stands before the voice: says one of `fillers` where the caller has heard nothing for `wait_secs`, 0 for never.

    The wait runs from the caller's last sound, but at least half of it from the moment at which the language model was
    asked, so that a turn whose end was in doubt for long is not filled at once. The first word of an answer ends it; a
    filler that has begun by then is let finish: it is over about as soon as the voice has made the answer's first
    sound. There is no second one before an answer came, and none has the words of the one before. What is written
    (`skip_tts`) is not filled. The wait goes on while tools are at work, but for one that has a filler of its
    own.
    """

    def __init__(self, *, fillers: Sequence[str], wait_secs: float) -> None:
        super().__init__(enable_direct_mode=True)
        self._fillers = itertools.cycle(fillers)
        self._wait_secs = wait_secs
        self._due = Alarm(self, self._fill)
        self._silent_at = 0.0
        self._filled = self._calling = False

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Passes on everything."""
        await super().process_frame(frame, direction)
        match frame:
            case VADUserStoppedSpeakingFrame():
                self._silent_at = self._now() - frame.stop_secs
            case LLMFullResponseStartFrame():
                if not frame.skip_tts and not self._calling:
                    self._asked()
                self._calling = False
            case FunctionCallsStartedFrame():
                self._calling = True
            case FillerFrame():
                self._due.clear()
                self._filled = True
            case TTSSpeakFrame():
                self._answered()
            case LLMTextFrame():
                if frame.text.strip():
                    self._answered()
            case InterruptionFrame():
                # What is typed interrupts, too, and no voice ends before it.
                self._silent_at = self._now()
                self._calling = False
                self._due.clear()
            case LLMFullResponseEndFrame():
                if not self._calling:
                    self._due.clear()
            case EndFrame() | CancelFrame():
                self._due.clear()
            case _:
                pass
        await self.push_frame(frame, direction)

    def _asked(self) -> None:
        if self._wait_secs and not self._filled:
            waited_secs = self._now() - self._silent_at
            self._due.set(max(self._wait_secs - waited_secs, self._wait_secs / 2))

    def _answered(self) -> None:
        self._due.clear()
        self._filled = False

    async def _fill(self) -> None:
        self._filled = True
        await self.push_frame(FillerFrame(next(self._fillers), append_to_context=False))

    def _now(self) -> float:
        return self.get_event_loop().time()
