"""Speech as it comes out of a room and a codec: pure functions of samples at 48 kHz."""

import io
import zlib
from collections.abc import Sequence

import numpy as np
import soundfile
import soxr

from evals.caller.audio import FULL_SCALE, RATE_HZ, Samples, voiced_runs
from evals.degraded.noise import Sound, noise
from evals.degraded.packets import PACKET_MS, Fate, fates
from evals.scenarios.keys import Audio

TELEPHONE_HZ = 8_000
# What is heard between what is said begins anew after so long.
ROOM_SECS = 10
PACKET_SAMPLES = RATE_HZ * PACKET_MS // 1000


class Degraded:
    """One caller's line; the noise is as loud in all of the call, from the level of all that is said in it.

    The same words come out as the same samples, whenever they are said.
    """

    def __init__(self, audio: Audio, *, said: Sequence[Samples]) -> None:
        self._audio = audio
        self._loud = level(np.concatenate(said)) if said else 0.0

    def speech(self, samples: Samples) -> Samples:
        """What is said, with the noise behind it, before any packet of it is lost. Blocks."""
        return self._coded(self._loudened(samples) + self._noise(samples.size))

    def room(self) -> Samples | None:
        """What is to be heard while nothing is said, to be repeated; None where that is silence. Blocks."""
        if self._audio.noise is None:
            return None
        return self._coded(self._noise(ROOM_SECS * RATE_HZ))

    def packets(self, samples: Samples) -> list[Fate]:
        """What becomes of each 20 ms of what is said."""
        audio = self._audio
        return fates(
            -(-samples.size // PACKET_SAMPLES),
            lost=audio.lost,
            burst=audio.burst or 1,
            jitter_ms=audio.jitter_ms or 0,
            seed=zlib.crc32(samples.tobytes(), audio.seed),
        )

    def _loudened(self, samples: Samples) -> Sound:
        return samples.astype(np.float64) * 10 ** ((self._audio.gain_db or 0.0) / 20)

    def _noise(self, count: int) -> Sound:
        wanted = self._audio.noise
        if wanted is None:
            return np.zeros(count)
        loud = self._loud * 10 ** (((self._audio.gain_db or 0.0) - wanted.snr_db) / 20)
        # It lasts as long in any case, so that each stretch of it begins as the others do.
        whole = noise(wanted.kind, ROOM_SECS * RATE_HZ, seed=self._audio.seed)
        return np.resize(whole, count) * loud

    def _coded(self, sound: Sound) -> Samples:
        samples = np.clip(np.rint(sound), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
        return over_telephone(samples) if self._audio.codec == "g711" else samples


def level(samples: Samples) -> float:
    """The root mean square of what is voiced in it; 0 where nothing is."""
    voiced = [samples[run.start : run.stop] for run in voiced_runs(samples)]
    return float(np.sqrt(np.mean(np.square(np.concatenate(voiced).astype(np.float64))))) if voiced else 0.0


def over_telephone(samples: Samples) -> Samples:
    """The samples after G.711 (mu-law, 8 kHz): as many, none of them late."""
    narrow = soxr.resample(samples, RATE_HZ, TELEPHONE_HZ)
    coded = io.BytesIO()
    soundfile.write(coded, narrow, TELEPHONE_HZ, format="RAW", subtype="ULAW")
    coded.seek(0)
    heard, _ = soundfile.read(
        coded, dtype="int16", samplerate=TELEPHONE_HZ, channels=1, format="RAW", subtype="ULAW", endian="FILE"
    )
    wide = soxr.resample(heard, TELEPHONE_HZ, RATE_HZ)
    return np.pad(wide[: samples.size], (0, max(0, samples.size - wide.size)))


def with_losses(samples: Samples, packets: Sequence[Fate]) -> Samples:
    """The samples with silence for the packets that were lost, as a receiver plays them that conceals nothing."""
    heard = samples.copy()
    for number, fate in enumerate(packets):
        if fate.lost:
            heard[number * PACKET_SAMPLES : (number + 1) * PACKET_SAMPLES] = 0
    return heard
