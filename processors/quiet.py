"""What must not reach a voice while it speaks."""

from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    Frame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSSpeakFrame,
    TTSUpdateSettingsFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from processors.frames import RepeatFrame


class QuietChanges(FrameProcessor):
    """Holds changes of a voice until what is being said was said, or was interrupted; stands before the voice.

    A voice that is changed in the middle of a sentence may connect anew, and lose the rest of it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._held: list[TTSUpdateSettingsFrame] = []
        self._answering = False
        # Given to the voice and not heard to its end.
        self._unsaid = False
        self._sounding = False

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Passes on all but what it holds, and lets that follow as soon as it may."""
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSUpdateSettingsFrame) and direction is FrameDirection.DOWNSTREAM:
            self._held.append(frame)
        else:
            self._note(frame)
            await self.push_frame(frame, direction)
        if not (self._answering or self._unsaid or self._sounding):
            held, self._held = self._held, []
            for each in held:
                await self.push_frame(each)

    def _note(self, frame: Frame) -> None:
        match frame:
            case LLMFullResponseStartFrame():
                self._answering = True
            case LLMFullResponseEndFrame():
                self._answering = False
            case TTSSpeakFrame() | RepeatFrame():
                self._unsaid = True
            case LLMTextFrame():
                self._unsaid = self._unsaid or not frame.text.isspace()
            case InterruptionFrame():
                self._answering = self._unsaid = False
            case BotStartedSpeakingFrame():
                self._sounding = True
            case BotStoppedSpeakingFrame():
                self._unsaid = self._sounding = False
            case _:
                pass
