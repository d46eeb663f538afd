"""When an answer is asked for before the caller's turn is over, and when that was right."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from pipecat.audio.turn.base_turn_analyzer import BaseTurnAnalyzer
from pipecat.frames.frames import (
    Frame,
    InterimTranscriptionFrame,
    TranscriptionFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.metrics.metrics import MetricsData, TurnMetricsData
from pipecat.turns.types import ProcessFrameResult, UserTurnSpeculation
from pipecat.turns.user_stop import NormalizedMatch, TurnAnalyzerUserTurnStopStrategy

from bot.usage import estimated_units
from processors.guess import Guess, Guesses

# Words that a recogniser has not changed for so long are likely its last.
STABLE_SECS = 0.1


def guess_report(guess: Guess) -> dict[str, Any]:
    """`{"type": "guess", "kept", "input_tokens", "output_tokens"}`: what asking too early came to; tokens as estimated.

    A guess that was withdrawn before a language model was asked took none.
    """
    units = {"input_tokens": 0, "output_tokens": 0}
    if guess.context is not None:
        units = estimated_units(guess.context, instruction="", said=guess.written)
    return {"type": "guess", "kept": guess.is_kept, **units}


class GuessingTurnStop(TurnAnalyzerUserTurnStopStrategy):
    """Ends turns as Pipecat's does, and has each answered as soon as its words are there and the caller pauses.

    The words are final ones, or interim ones that have not changed for a while. The answer is held (`GuessGate`) until
    VAD and the turn analyzer agree that the turn is over; it is withdrawn where the caller goes on or the words change.
    Where the analyzer says that the turn goes on, nothing more is guessed in that pause.
    """

    def __init__(
        self,
        *,
        guesses: Guesses,
        turn_analyzer: BaseTurnAnalyzer,
        clock: Callable[[], float] = time.monotonic,
        **kwargs: Any,
    ) -> None:
        super().__init__(turn_analyzer=turn_analyzer, **kwargs)
        self._guesses = guesses
        self._now = clock
        self._same = NormalizedMatch().matches
        self._interim, self._interim_at = "", 0.0
        self._has_words = self._goes_on = False
        self._tried = ""
        self._keeping: Guess | None = None
        self._analysis: asyncio.Task[None] | None = None

    async def cleanup(self) -> None:
        """Ends with the call."""
        await self._stop_analysis()
        await super().cleanup()

    async def process_frame(self, frame: Frame) -> ProcessFrameResult:
        """Guesses as words and pauses come; withdraws as the caller goes on."""
        if isinstance(frame, VADUserStartedSpeakingFrame):
            self._has_words = self._goes_on = False
            await self._withdraw()
        elif isinstance(frame, VADUserStoppedSpeakingFrame):
            # While the analyzer looks at the turn.
            if self._has_words and self._now() - self._interim_at >= STABLE_SECS:
                await self._guess()
        elif isinstance(frame, TranscriptionFrame) and frame.text.strip():
            self._interim, self._has_words = "", True
            await self._hear()
            if frame.finalized or not self._vad_user_speaking:
                await self._guess()
        elif isinstance(frame, InterimTranscriptionFrame) and frame.text != self._interim:
            self._interim, self._interim_at, self._has_words = frame.text, self._now(), True
            await self._hear()
        return await super().process_frame(frame)

    async def trigger_user_turn_stopped(self, *, enable_user_speaking_frames: bool | None = None) -> None:
        """Ends the turn: with the answer that was guessed, or without one yet."""
        guess = self._guesses.current
        if (
            guess is None
            or not guess.is_open
            or not guess.is_asked
            or not self._same(guess.text, self._guesses.heard())
        ):
            await self._withdraw()
            await super().trigger_user_turn_stopped(enable_user_speaking_frames=enable_user_speaking_frames)
            return
        # Kept only if the turn does end: a caller who speaks again meanwhile has it go on.
        self._keeping = guess
        try:
            await self.trigger_user_turn_finalized(
                enable_user_speaking_frames=enable_user_speaking_frames, confirms_speculation=True
            )
        finally:
            self._keeping = None

    async def handle_user_turn_started(self) -> None:
        """No guess is older than its turn."""
        await self._withdraw()
        await super().handle_user_turn_started()

    async def handle_user_turn_stopped(self) -> None:
        """Keeps the guess that ended the turn; whatever else ends it, none stands."""
        if self._keeping is not None:
            self._keeping.keep()
        await self._withdraw()
        self._interim, self._has_words, self._goes_on = "", False, False
        await super().handle_user_turn_stopped()

    async def _handle_vad_user_stopped_speaking(self, frame: VADUserStoppedSpeakingFrame) -> None:
        # Beside the frames: the words, and the caller's next ones, come while the analyzer thinks.
        self._vad_user_speaking, self._vad_stopped = False, True
        await self._stop_analysis()
        self._analysis = self.task_manager.create_task(
            super()._handle_vad_user_stopped_speaking(frame), f"{self}::analysis"
        )

    async def _discard_pending_end_of_turn(self) -> None:
        await self._stop_analysis()
        await super()._discard_pending_end_of_turn()

    async def _stop_analysis(self) -> None:
        analysis, self._analysis = self._analysis, None
        if analysis is not None:
            await self.task_manager.cancel_task(analysis)

    async def _handle_prediction_result(self, result: MetricsData | None) -> None:
        # From here on it ends the turn, and is not to be cut off in that.
        self._analysis = None
        if isinstance(result, TurnMetricsData):
            self._goes_on = not result.is_complete
        await super()._handle_prediction_result(result)

    async def _hear(self) -> None:
        guess = self._guesses.current
        if guess is not None and guess.is_open and not self._same(guess.text, self._said()):
            await self._withdraw()

    async def _guess(self) -> None:
        text = self._said()
        if not self._may_guess(text):
            return
        self._tried = text
        self._guesses.begin(text)
        await self.trigger_user_turn_inference_triggered(speculation=UserTurnSpeculation(text=text))

    def _may_guess(self, text: str) -> bool:
        # One that was withdrawn for a tool is not tried again with the same words.
        return bool(text) and not self._goes_on and not self._same(self._tried, text)

    async def _withdraw(self) -> None:
        self._tried = ""
        guess = self._guesses.current
        if guess is not None and guess.is_open:
            guess.withdraw()
            await self.trigger_user_turn_speculation_cancelled()

    def _said(self) -> str:
        return f"{self._guesses.heard()} {self._interim}".strip()
