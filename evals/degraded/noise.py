"""What is to be heard behind a caller: pure functions of a seed, from numbers and from the recorded questions."""

from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from evals.caller.audio import RATE_HZ, voiced_runs
from evals.caller.speaker import at_48khz, read_recording
from evals.program import RECORDINGS

Sound = npt.NDArray[np.float64]
Kind = Literal["white", "street", "babble"]

TALKERS = 8
VOICES = ("slt", "rms")
# Traffic rumbles: flat up to here, and from there on 6 dB an octave less.
RUMBLE_HZ = 150.0
# A vehicle passes about so often, and swells over so long.
PASSING_SECS, SWELL_SECS = 4.0, 1.5


def noise(kind: Kind, count: int, *, seed: int) -> Sound:
    """So many samples at 48 kHz of this noise, with a root mean square of 1. Blocks."""
    made = {"white": _white, "street": _street, "babble": _babble}[kind](count, np.random.default_rng(seed))
    return made / np.sqrt(np.mean(np.square(made)))


def _white(count: int, random: np.random.Generator) -> Sound:
    return random.standard_normal(count)


def _street(count: int, random: np.random.Generator) -> Sound:
    """Rumbling that swells as vehicles pass."""
    at_hz = np.fft.rfftfreq(count, 1 / RATE_HZ)
    shaped = np.fft.rfft(random.standard_normal(count)) / np.sqrt(1 + np.square(at_hz / RUMBLE_HZ))
    shaped[0] = 0
    secs = np.arange(count) / RATE_HZ
    passing = random.uniform(0, count / RATE_HZ, max(1, round(count / RATE_HZ / PASSING_SECS)))
    swell = sum(np.exp(-np.square((secs - at) / SWELL_SECS)) for at in passing)
    return np.fft.irfft(shaped, count) * (0.5 + swell)


def _babble(count: int, random: np.random.Generator) -> Sound:
    """Several people who talk at once, and whose words can't be told apart."""
    mixed = np.zeros(count)
    for talker in range(TALKERS):
        voice = _talk(VOICES[talker % len(VOICES)])
        mixed += np.resize(np.roll(voice, int(random.integers(voice.size))), count)
    return mixed


@lru_cache(maxsize=len(VOICES))
def _talk(voice: str) -> Sound:
    """The voiced stretches of all of a voice's questions, one behind the other."""
    stretches = []
    for path in sorted((RECORDINGS / voice).glob("q*.flac")):
        samples = at_48khz(read_recording(path))
        stretches += [samples[run.start : run.stop] for run in voiced_runs(samples)]
    return np.concatenate(stretches).astype(np.float64)
