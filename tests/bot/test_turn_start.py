"""What begins a caller's turn."""

import pytest
from pipecat.frames.frames import Frame, InterimTranscriptionFrame, TranscriptionFrame, VADUserStartedSpeakingFrame
from pipecat.turns.types import ProcessFrameResult

from bot.speech.stt import NOT_UNDERSTOOD
from bot.turn_start import WordsUserTurnStartStrategy


@pytest.mark.parametrize(
    ("frame", "begins"),
    [
        (TranscriptionFrame("When do you open?", "", ""), True),
        (InterimTranscriptionFrame("When", "", ""), True),
        (TranscriptionFrame(NOT_UNDERSTOOD, "", ""), False),
        (InterimTranscriptionFrame("", "", ""), False),
        (VADUserStartedSpeakingFrame(), False),
    ],
)
async def test_words_begin_a_turn_and_a_blank_transcript_does_not(frame: Frame, begins: bool):
    strategy, begun = WordsUserTurnStartStrategy(), []

    @strategy.event_handler("on_user_turn_started")
    async def on_user_turn_started(_strategy: object, params: object) -> None:
        begun.append(params)

    result = await strategy.process_frame(frame)
    assert (len(begun), result is ProcessFrameResult.STOP) == ((1, True) if begins else (0, False))
