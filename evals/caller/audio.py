"""Where speech begins and ends in 16-bit mono PCM, and what follows from it. Pure functions of samples."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]

RATE_HZ = 48_000
FULL_SCALE = 32_768

WINDOW_MS = 10
# A run is grown from windows this loud, out to windows this quiet (hysteresis), in dB of full scale.
LOUD_DBFS = -45.0
QUIET_DBFS = -52.0
# Over steady noise both thresholds rise to stand this far above it.
LOUD_OVER_NOISE_DB = 12.0
QUIET_OVER_NOISE_DB = 6.0
# Noise is what stays level for so long, is not digital silence, and lies so far below the loudest speech.
NOISE_BLOCK_MS = 200
NOISE_SWING_DB = 8.0
SILENCE_DBFS = -90.0
NOISE_BELOW_SPEECH_DB = 20.0
# Shorter than this is a click, not a voice.
SHORTEST_VOICE_MS = 30
# The closure of a stop consonant does not end a run.
LONGEST_CLOSURE_MS = 150
# A silence this long ends one stretch of speech; it is also how long the bot must be silent to have yielded.
PAUSE_MS = 300


@dataclass(frozen=True)
class Pcm:
    """Mono samples and their rate."""

    samples: Samples
    rate_hz: int


@dataclass(frozen=True)
class Run:
    """A stretch of voice: its first voiced sample and the one after its last."""

    start: int
    stop: int


def ms(samples: int) -> float:
    """Samples at 48 kHz in milliseconds, rounded to a tenth."""
    return round(samples * 1000 / RATE_HZ, 1)


def voiced_runs(samples: Samples) -> list[Run]:
    """The voiced stretches of 48 kHz PCM, exact to the sample, in order."""
    window = RATE_HZ * WINDOW_MS // 1000
    levels = _levels_dbfs(samples, window)
    if levels.size == 0:
        return []
    loud_dbfs, quiet_dbfs = _thresholds_dbfs(levels)
    candidates = join_runs(_true_stretches(levels >= quiet_dbfs), LONGEST_CLOSURE_MS // WINDOW_MS)
    amplitude = FULL_SCALE * 10 ** (quiet_dbfs / 20)
    runs = []
    for stretch in candidates:
        loud_windows = np.count_nonzero(levels[stretch.start : stretch.stop] >= loud_dbfs)
        if loud_windows * WINDOW_MS >= SHORTEST_VOICE_MS:
            first = stretch.start * window
            inside = np.abs(samples[first : stretch.stop * window].astype(np.int32)) >= amplitude
            audible = np.flatnonzero(inside)
            runs.append(Run(first + int(audible[0]), first + int(audible[-1]) + 1))
    return runs


def join_runs(runs: Sequence[Run], longest_gap: int) -> list[Run]:
    """Runs with the gaps of up to `longest_gap`, in the runs' own unit, closed."""
    joined: list[Run] = []
    for run in runs:
        if joined and run.start - joined[-1].stop <= longest_gap:
            joined[-1] = Run(joined[-1].start, run.stop)
        else:
            joined.append(run)
    return joined


def speech_of(runs: Sequence[Run]) -> list[Run]:
    """Runs joined into stretches of speech, which only a pause separates."""
    return join_runs(runs, PAUSE_MS * RATE_HZ // 1000)


def within(runs: Sequence[Run], start: int, stop: int) -> Run | None:
    """From the first to the last voiced sample of the runs that begin between two positions; None if there are none."""
    inside = [run for run in runs if start <= run.start < stop]
    return Run(inside[0].start, inside[-1].stop) if inside else None


def answer_to(question: Run, bot: Sequence[Run], *, until: int) -> Run | None:
    """The bot's first speech that began after the question did, before `until`, and outlasted it.

    Speech that began before the question is an earlier answer; speech that ended before the question did is
    no answer to it. An answer that begins while the question is still being spoken counts: it came too early.
    """
    return next(
        (run for run in speech_of(bot) if question.start < run.start < until and run.stop > question.stop), None
    )


def yield_samples(onset: int, bot: Sequence[Run]) -> int | None:
    """From a barge-in's first voiced sample to the bot's last before a pause; None if the bot was not speaking."""
    return next((run.stop - onset for run in speech_of(bot) if run.start < onset < run.stop), None)


def longest_gap_samples(bot: Sequence[Run], *, start: int, stop: int) -> int:
    """The longest silence between two voiced runs that begin in a range; 0 if there is none."""
    inside = [run for run in bot if start <= run.start < stop]
    return max((after.start - before.stop for before, after in pairwise(inside)), default=0)


def stereo(left: Samples, right: Samples) -> Samples:
    """Two channels side by side, shape (samples, 2), the shorter one padded with silence."""
    mixed = np.zeros((max(left.size, right.size), 2), np.int16)
    mixed[: left.size, 0] = left
    mixed[: right.size, 1] = right
    return mixed


def _levels_dbfs(samples: Samples, window: int) -> npt.NDArray[np.float64]:
    padded = np.pad(samples, (0, -samples.size % window)).astype(np.float64)
    power = np.mean(np.square(padded.reshape(-1, window)), axis=1)
    return 10 * np.log10(np.maximum(power, 1e-3) / FULL_SCALE**2)


def _thresholds_dbfs(levels: npt.NDArray[np.float64]) -> tuple[float, float]:
    block = NOISE_BLOCK_MS // WINDOW_MS
    blocks = levels[: levels.size // block * block].reshape(-1, block)
    means = blocks[np.ptp(blocks, axis=1) <= NOISE_SWING_DB].mean(axis=1)
    noise = means[(means > SILENCE_DBFS) & (means < np.max(levels) - NOISE_BELOW_SPEECH_DB)]
    if noise.size == 0:
        return LOUD_DBFS, QUIET_DBFS
    floor_dbfs = float(np.min(noise))
    return max(LOUD_DBFS, floor_dbfs + LOUD_OVER_NOISE_DB), max(QUIET_DBFS, floor_dbfs + QUIET_OVER_NOISE_DB)


def _true_stretches(flags: npt.NDArray[np.bool_]) -> list[Run]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return [Run(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]
