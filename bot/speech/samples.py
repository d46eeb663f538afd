"""An utterance as recognisers take it."""

import numpy as np
import soxr

SAMPLE_RATE_HZ = 16_000
# Below this peak there is no speech; normalising such a signal would make words of it.
QUIETEST_SPEECH = 100


def samples_of(pcm: bytes, *, sample_rate: int) -> np.ndarray:
    """The int16 samples of s16le mono PCM at 16 kHz; none where nobody speaks."""
    samples = np.frombuffer(pcm, np.int16)
    if sample_rate != SAMPLE_RATE_HZ:
        samples = soxr.resample(samples, sample_rate, SAMPLE_RATE_HZ)
    if np.max(np.abs(samples.astype(np.int32)), initial=0) < QUIETEST_SPEECH:
        return samples[:0]
    return samples
