"""Both sides of a call on one timeline, as the caller's handset spoke and heard them."""

import numpy as np

from evals.caller.audio import RATE_HZ, Samples

# aiortc hands out a frame when the fourth after it arrives: a handset still holds this much when one is late.
RESERVE_SAMPLES = RATE_HZ * 80 // 1000
# A frame whose samples are all this small is silence; Opus decodes digital silence to a few units.
SILENT_PEAK = 16


class Recording:
    """The caller's and the bot's samples at 48 kHz; position 0 is the moment that media connected."""

    def __init__(self) -> None:
        self._caller = _Channel()
        self._bot = _Channel()

    @property
    def caller(self) -> Samples:
        return self._caller.samples

    @property
    def bot(self) -> Samples:
        return self._bot.samples

    def write_caller(self, position: int, samples: Samples) -> None:
        """Place what the caller spoke; what lies before position 0 is lost."""
        self._caller.write(position, samples)

    def write_bot(self, position: int, samples: Samples) -> None:
        """Place what the caller heard; what lies before position 0 is lost."""
        self._bot.write(position, samples)


class Playout:
    """Where a handset plays the frames it receives.

    Speech starts when its first frame arrives and goes on by the frames' own timestamps. A frame later than the
    reserve leaves a gap, one that comes in a burst waits for those before it, and the next silence catches up.
    """

    def __init__(self) -> None:
        self._offset: int | None = None
        self._played_to = 0

    def place(self, *, arrival: int, timestamp: int, samples: Samples) -> int | None:
        """The frame's position, from its arrival's; None when it is silent. All three count samples at 48 kHz."""
        if samples.size == 0 or np.max(np.abs(samples.astype(np.int32))) <= SILENT_PEAK:
            self._offset = None
            return None
        if self._offset is None or arrival > timestamp + self._offset + RESERVE_SAMPLES:
            self._offset = max(arrival, self._played_to) - timestamp
        position = timestamp + self._offset
        self._played_to = position + samples.size
        return position


class _Channel:
    def __init__(self) -> None:
        self._buffer = np.zeros(RATE_HZ * 60, np.int16)
        self._length = 0

    @property
    def samples(self) -> Samples:
        return self._buffer[: self._length]

    def write(self, position: int, samples: Samples) -> None:
        samples = samples[max(0, -position) :]
        start = max(0, position)
        stop = start + samples.size
        if stop > self._buffer.size:
            self._buffer = np.concatenate((self._buffer, np.zeros(max(self._buffer.size, stop), np.int16)))
        self._buffer[start:stop] = samples
        self._length = max(self._length, stop)
