"""How long nobody has had the word."""

from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    CancelFrame,
    EndFrame,
    Frame,
    FunctionCallCancelFrame,
    FunctionCallResultFrame,
    FunctionCallsStartedFrame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    TTSSpeakFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from processors.alarm import Alarm

_MOVES = (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    FunctionCallCancelFrame,
    FunctionCallResultFrame,
    FunctionCallsStartedFrame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    TTSSpeakFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)


class SilenceProcessor(FrameProcessor):
    """Stands before the voice and tells of a silence that is the caller's to break.

    None is counted while the caller speaks, or while the bot thinks, speaks, or waits for a tool. Pipecat's own
    `UserIdleController` begins to count as the bot stops speaking, so that it never does in a call that is written, nor
    where no voice works. What is typed comes as an interruption.

    Events: `on_caller_silent(processor, times)` after each `silent_secs`, with how often in this silence, whatever the
    bot said in it; `on_caller_began(processor)`, by voice or in writing; `on_caller_ended(processor)`, by voice;
    `on_bot_ended(processor)` as it has said, or written, what it had to.
    """

    def __init__(self, *, silent_secs: float) -> None:
        super().__init__(enable_direct_mode=True)
        self._silent_secs = silent_secs
        self._due = Alarm(self, self._silent)
        self._times = 0
        self._caller = self._answering = self._sounding = False
        self._tools = 0
        for event in ("on_caller_silent", "on_caller_began", "on_caller_ended", "on_bot_ended"):
            self._register_event_handler(event)

    @property
    def bot_has_word(self) -> bool:
        """Whether the bot thinks or speaks."""
        return self._sounding or self._answering

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Passes on everything."""
        await super().process_frame(frame, direction)
        if isinstance(frame, _MOVES):
            event = self._note(frame)
            if self._caller or self.bot_has_word or self._tools:
                self._due.clear()
            else:
                self._due.set(self._silent_secs)
            if event is not None:
                await self._call_event_handler(event)
        elif isinstance(frame, EndFrame | CancelFrame):
            self._due.clear()
        await self.push_frame(frame, direction)

    def _note(self, frame: Frame) -> str | None:
        """Whose word it is now; the event to be told."""
        match frame:
            case UserStartedSpeakingFrame():
                self._caller, self._times = True, 0
                return "on_caller_began"
            case UserStoppedSpeakingFrame():
                self._caller = False
                return "on_caller_ended"
            case InterruptionFrame():
                self._answering, self._times = False, 0
                return "on_caller_began"
            case BotStartedSpeakingFrame():
                self._sounding = True
            case BotStoppedSpeakingFrame():
                self._sounding = False
                return "on_bot_ended"
            case LLMFullResponseStartFrame():
                self._answering = True
            case LLMFullResponseEndFrame():
                self._answering = False
                return "on_bot_ended" if frame.skip_tts else None
            case FunctionCallsStartedFrame():
                self._tools += len(frame.function_calls)
            case FunctionCallResultFrame() | FunctionCallCancelFrame():
                self._tools = max(0, self._tools - 1)
            case _:
                pass
        return None

    async def _silent(self) -> None:
        self._times += 1
        # Where no voice works, nothing that is said ends, and the silence goes on.
        self._due.set(self._silent_secs)
        await self._call_event_handler("on_caller_silent", self._times)
