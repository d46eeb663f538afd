"""By which tone a vendor's double speaks as one voice and not as another."""

import zlib

import numpy as np

from evals.caller.audio import RATE_HZ, Samples

LOWEST_HZ, STEP_HZ, VOICES = 200.0, 20.0, 40


def tone_of(voice: str, text: str = "") -> float:
    """The tone of a voice in Hz; each text of it is another one, within less than half a step of the voice's own."""
    own = LOWEST_HZ + STEP_HZ * (zlib.crc32(voice.encode()) % VOICES)
    return own + (zlib.crc32(text.encode()) % 160 / 10 - 8 if text else 0.0)


def tone_in(samples: Samples) -> float | None:
    """The loudest tone of 48 kHz PCM in Hz, to a step's tenth from half a second on; None in silence."""
    if not samples.any():
        return None
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size)))
    return float(np.argmax(spectrum) * RATE_HZ / samples.size)


def speaks_as(voice: str, tone_hz: float) -> bool:
    """Whether this is a tone of that voice."""
    return abs(tone_hz - tone_of(voice)) < STEP_HZ / 2
