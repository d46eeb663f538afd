"""How loud the bot is."""

import copy

import numpy as np
from pipecat.frames.frames import Frame, TTSAudioRawFrame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from processors.frames import VolumeFrame

FULL_SCALE = 32767
# Louder than this share of full scale, sound is bent rather than cut: cut sound crackles.
STRAIGHT = 0.7


class VolumeProcessor(FrameProcessor):
    """Stands behind the voice and makes what it says as loud as the last `VolumeFrame` said."""

    def __init__(self) -> None:
        super().__init__()
        self._volume = 1.0

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Takes a `VolumeFrame`, changes speech, and passes on all else."""
        await super().process_frame(frame, direction)
        if isinstance(frame, VolumeFrame):
            self._volume = frame.volume
            return
        if isinstance(frame, TTSAudioRawFrame) and self._volume != 1.0:
            # What recorded it keeps it as it was.
            frame = copy.copy(frame)
            frame.audio = scaled(frame.audio, self._volume)
        await self.push_frame(frame, direction)


def scaled(pcm: bytes, volume: float) -> bytes:
    """s16le PCM so many times as loud; its peaks stay below full scale."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float32) * (volume / FULL_SCALE)
    over = np.abs(samples) > STRAIGHT
    if volume > 1 and over.any():
        room = 1 - STRAIGHT
        loud = samples[over]
        samples[over] = np.sign(loud) * (STRAIGHT + room * np.tanh((np.abs(loud) - STRAIGHT) / room))
    return (samples * FULL_SCALE).astype("<i2").tobytes()
