"""Recordings of calls, for a page: their waveform, and a copy small enough to carry along."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile as sf

from evals.report.errors import ReportError

BLOCK_SECS = 10
FULL_SCALE = 32_768
# What is quieter than this all along is drawn as the near silence that it is.
LEAST_SCALE = 0.05

Peaks = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sound:
    """A recording's length, and for each channel a loudest sample for each step, 0 to 1 of the loudest of all."""

    secs: float
    peaks: tuple[Peaks, ...]


def read_sound(path: Path, *, per_sec: int) -> Sound:
    """Draw up a recording of any length, block by block; raises ReportError when it is missing or no recording."""
    with _opened(path) as wav:
        step = max(1, wav.samplerate // per_sec)
        blocks = [_peaks(block, step) for block in _blocks(wav, step * per_sec * BLOCK_SECS)]
        peaks = np.concatenate(blocks) if blocks else np.zeros((0, wav.channels))
        loudest = max(LEAST_SCALE, float(peaks.max(initial=0.0)))
        return Sound(wav.frames / wav.samplerate, tuple(peaks.T / loudest))


def as_flac(path: Path) -> bytes:
    """The same samples in about a twelfth of the space; every browser plays it, and no codec moves what is heard.

    Raises ReportError when it is missing or no recording.
    """
    packed = io.BytesIO()
    with (
        _opened(path) as wav,
        sf.SoundFile(packed, "w", wav.samplerate, wav.channels, subtype="PCM_16", format="FLAC") as flac,
    ):
        for block in _blocks(wav, wav.samplerate * BLOCK_SECS):
            flac.write(block)
    return packed.getvalue()


def _opened(path: Path) -> sf.SoundFile:
    try:
        return sf.SoundFile(path)
    except (sf.LibsndfileError, OSError) as error:
        raise ReportError(f"{path} is {'no recording' if path.is_file() else 'not there'}.") from error


def _blocks(wav: sf.SoundFile, frames: int) -> Iterator[npt.NDArray[np.int16]]:
    for block in wav.blocks(blocksize=frames, dtype="int16", always_2d=True):
        yield np.asarray(block, np.int16)


def _peaks(block: npt.NDArray[np.int16], step: int) -> Peaks:
    # A channel's samples beside each other: several times faster than in turns with the other's.
    channels = np.ascontiguousarray(np.pad(block, ((0, -len(block) % step), (0, 0))).T)
    steps = channels.reshape(len(channels), -1, step)
    return np.maximum(steps.max(axis=2), -steps.min(axis=2).astype(np.int32)).T / FULL_SCALE
