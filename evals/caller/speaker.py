"""Where the caller's voice comes from."""

from pathlib import Path
from typing import Protocol

import numpy as np
import soundfile
import soxr

from evals.caller.audio import RATE_HZ, Pcm, Samples
from evals.caller.errors import CallError


class Speaker(Protocol):
    """Reads a text aloud."""

    async def speak(self, text: str) -> Pcm:
        """The text as speech, at any rate."""
        ...


def read_recording(path: Path) -> Pcm:
    """A WAV, FLAC or Ogg file's speech, its channels mixed to one. Blocks."""
    try:
        samples, rate_hz = soundfile.read(path, dtype="int16", always_2d=True)
    except (OSError, soundfile.SoundFileError):
        raise CallError(f"{path} cannot be read. Pass a WAV, FLAC or Ogg file that exists.") from None
    return Pcm(samples.mean(axis=1).astype(np.int16), rate_hz)


def at_48khz(pcm: Pcm) -> Samples:
    """The samples at the rate of the line."""
    if pcm.rate_hz == RATE_HZ:
        return pcm.samples
    return soxr.resample(pcm.samples, pcm.rate_hz, RATE_HZ)
