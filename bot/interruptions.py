"""When the caller gets the word: Pipecat's start of a turn, by what `BargeIn` makes of voice and words."""

import time
from collections.abc import Callable

from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    Frame,
    InputAudioRawFrame,
    InterimTranscriptionFrame,
    STTMetadataFrame,
    TranscriptionFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.turns.types import ProcessFrameResult
from pipecat.turns.user_start import BaseUserTurnStartStrategy

from processors.barge_in import BargeIn, Patience, Verdict
from processors.echo import JustSaid
from processors.held_voice import HoldVoiceFrame, ResumeVoiceFrame
from processors.loudness import level_dbfs

# Words are waited for as long as nearly all of them take, within what a caller bears to hear nothing.
SOONEST_SECS, LATEST_SECS = 0.3, 0.9


class BargeInStartStrategy(BaseUserTurnStartStrategy):
    """Begins the caller's turn by voice or words; while the bot speaks, holds it first and decides then.

    `just_said` are the bot's words as they are heard, their times by the same `clock`.
    """

    def __init__(self, *, just_said: JustSaid, clock: Callable[[], float] = time.monotonic):
        super().__init__()
        self._just_said = just_said
        self._seconds = clock
        self._barge_in = BargeIn(Patience())

    async def handle_user_turn_started(self) -> None:
        """The caller has the word."""
        self._barge_in.turn_started()

    async def process_frame(self, frame: Frame) -> ProcessFrameResult:
        """Takes sound, voice and words of the caller, and when the bot speaks; STOP where a turn begins."""
        verdict: Verdict | None = None
        match frame:
            case InputAudioRawFrame():
                secs = frame.num_frames / frame.sample_rate
                verdict = self._barge_in.sound(level_dbfs(frame.audio), secs=secs, at=self._seconds())
            case VADUserStartedSpeakingFrame():
                verdict = self._barge_in.voice_started(self._seconds())
            case VADUserStoppedSpeakingFrame():
                self._barge_in.voice_stopped(self._seconds())
            case TranscriptionFrame() | InterimTranscriptionFrame():
                final, echo = isinstance(frame, TranscriptionFrame), self._is_echo(frame.text)
                verdict = self._barge_in.words(frame.text, final=final, echo=echo, at=self._seconds())
            case BotStartedSpeakingFrame():
                self._barge_in.bot_started(self._seconds())
            case BotStoppedSpeakingFrame():
                verdict = self._barge_in.bot_stopped()
            case STTMetadataFrame():
                self._barge_in.words_secs = min(LATEST_SECS, max(SOONEST_SECS, frame.ttfs_p99_latency))
            case _:
                pass
        return await self._do(verdict, frame)

    def _is_echo(self, text: str) -> bool:
        since, until = self._barge_in.stretch
        return self._just_said.echoes(text, since=since, until=self._seconds() if until is None else until)

    async def _do(self, verdict: Verdict | None, frame: Frame) -> ProcessFrameResult:
        match verdict:
            case "stop":
                await self.trigger_user_turn_started()
                return ProcessFrameResult.STOP
            case "hold" if self._enable_interruptions:
                await self.push_frame(HoldVoiceFrame())
            case "resume":
                await self.push_frame(ResumeVoiceFrame())
            case _:
                pass
        if verdict in ("resume", "drop") and isinstance(frame, TranscriptionFrame):
            await self.trigger_reset_aggregation()
        return ProcessFrameResult.CONTINUE
