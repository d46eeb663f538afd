"""What begins a caller's turn."""

from pipecat.frames.frames import Frame, InterimTranscriptionFrame, TranscriptionFrame
from pipecat.turns.types import ProcessFrameResult
from pipecat.turns.user_start import TranscriptionUserTurnStartStrategy


class WordsUserTurnStartStrategy(TranscriptionUserTurnStartStrategy):
    """Begins a turn with words that VAD missed, and with words alone.

    A recogniser that understood nothing gives a blank transcript. It ends the turn that VAD began; one that comes when
    that is over would begin another, and have a caller who said nothing asked to say it again.
    """

    async def process_frame(self, frame: Frame) -> ProcessFrameResult:
        """Passes over a transcript without words."""
        if isinstance(frame, TranscriptionFrame | InterimTranscriptionFrame) and not frame.text.strip():
            return ProcessFrameResult.CONTINUE
        return await super().process_frame(frame)
