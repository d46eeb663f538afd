"""Hears a caller out: whoever is in the middle of a sentence or of a number is not answered yet."""

import asyncio
from collections.abc import Callable
from typing import Any

from pipecat.frames.frames import Frame, VADUserStartedSpeakingFrame, VADUserStoppedSpeakingFrame
from pipecat.turns.types import ProcessFrameResult

from bot.guessing import GuessingTurnStop
from bot.patience import Pauses, is_open


class PatientTurnStop(GuessingTurnStop):
    """Ends turns as `GuessingTurnStop`, but for one whose words want more: that is waited for.

    Not for longer than `pauses` says. `set_longest` is told how many seconds of silence end a turn, as that changes.
    """

    def __init__(self, *, pauses: Pauses, set_longest: Callable[[float], None], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._pauses = pauses
        self._set_longest = set_longest
        self._stopped_at: float | None = None
        self._later: asyncio.Task[None] | None = None

    async def cleanup(self) -> None:
        """Ends with the call."""
        await self._stop_waiting()
        await super().cleanup()

    async def process_frame(self, frame: Frame) -> ProcessFrameResult:
        """Measures the caller's pauses."""
        if isinstance(frame, VADUserStoppedSpeakingFrame):
            self._stopped_at = self._now()
        elif isinstance(frame, VADUserStartedSpeakingFrame) and self._stopped_at is not None:
            self._pauses.made(self._now() - self._stopped_at + self._stop_secs - frame.start_secs)
            self._set_longest(self._pauses.longest_secs)
            self._stopped_at = None
        return await super().process_frame(frame)

    async def trigger_user_turn_stopped(self, *, enable_user_speaking_frames: bool | None = None) -> None:
        """Ends the turn, at once or when the caller was waited for."""
        rest_secs = self._rest_secs()
        if rest_secs <= 0 or not is_open(self._guesses.heard()):
            await self._stop_waiting()
            await super().trigger_user_turn_stopped(enable_user_speaking_frames=enable_user_speaking_frames)
        elif self._later is None:
            self._later = self.task_manager.create_task(self._end_after(rest_secs), f"{self}::patience")

    async def handle_user_turn_stopped(self) -> None:
        """What comes next is no pause in this turn."""
        self._stopped_at = None
        await super().handle_user_turn_stopped()

    def _may_guess(self, text: str) -> bool:
        return super()._may_guess(text) and not is_open(text)

    async def _discard_pending_end_of_turn(self) -> None:
        await self._stop_waiting()
        await super()._discard_pending_end_of_turn()

    def _rest_secs(self) -> float:
        """For how long the caller may still be waited for; none without a pause that was heard."""
        return 0.0 if self._stopped_at is None else self._stopped_at + self._pauses.longest_secs - self._now()

    async def _end_after(self, secs: float) -> None:
        await asyncio.sleep(secs)
        # From here on it ends the turn, and is not to be cut off in that.
        self._later = None
        await super().trigger_user_turn_stopped()

    async def _stop_waiting(self) -> None:
        later, self._later = self._later, None
        if later is not None:
            await self.task_manager.cancel_task(later)
