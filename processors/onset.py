"""The silence that voices begin with, taken off: a caller waits for the first sound, not for the first frame."""

from typing import Any

import numpy as np
from pipecat.frames.frames import Frame, InterruptionFrame, TTSAudioRawFrame, TTSStartedFrame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

# About -46 dB of full scale: breath and noise of voices are below, the softest beginning of a word is above.
LOUD = 160
# What is left before the first sound, so that no word begins with a click.
LEAD_SECS = 0.01
# A voice that is silent for longer means it.
MOST_SECS = 0.6
BYTES_PER_SAMPLE = 2
NS = 1_000_000_000


class Onset(FrameProcessor):
    """Stands right behind the voice: takes off the silence that each text begins with, and moves its words with it.

    16-bit mono audio; what is between the sentences of a text stays.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._cut_secs = 0.0
        self._is_waiting = False

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Shortens or drops the first audio frames of a text; passes on all else, what has a time as much sooner."""
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSStartedFrame):
            self._is_waiting, self._cut_secs = True, 0.0
        elif isinstance(frame, InterruptionFrame):
            self._is_waiting = False
        elif isinstance(frame, TTSAudioRawFrame):
            if self._is_waiting and not self._shorten(frame):
                return
        elif frame.pts and direction is FrameDirection.DOWNSTREAM:
            frame.pts = max(1, frame.pts - round(self._cut_secs * NS))
        await self.push_frame(frame, direction)

    def _shorten(self, frame: TTSAudioRawFrame) -> bool:
        """Takes the silence off; whether anything is left."""
        samples = np.frombuffer(frame.audio, np.int16).astype(np.int32)
        loud = np.flatnonzero(np.abs(samples) >= LOUD)
        silent = max(0, int(loud[0]) - round(LEAD_SECS * frame.sample_rate)) if len(loud) else len(samples)
        most = round((MOST_SECS - self._cut_secs) * frame.sample_rate)
        self._is_waiting = not len(loud) and silent < most
        silent = min(silent, most)
        self._cut_secs += silent / frame.sample_rate
        frame.audio = frame.audio[BYTES_PER_SAMPLE * silent :]
        frame.num_frames -= silent
        return frame.num_frames > 0
