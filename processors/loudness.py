"""How loud the caller's line is, and so whose voice it carries: the caller's, another's, or the bot's own."""

import math

import numpy as np

FULL_SCALE, QUIETEST_DBFS = 32_768, -100.0
# What is fainter is nobody, as long as no caller was heard who speaks as softly.
FAINTEST_DBFS = -45.0
# So much below the caller's own voice is somebody else in the room.
ANOTHER_VOICE_DB = 14.0
# Who speaks along with the bot's own voice out of a loudspeaker is so much louder than it.
OVER_ECHO_DB = 6.0
# Somebody begins to speak where sound stands so far above the noise for so long.
OVER_NOISE_DB, STIRRING_SECS = 15.0, 0.04
# Noise is what the line falls back to; it may rise by so much a second.
NOISE_RISE_DB_A_SEC = 3.0
# Sound so far below the loudest of its stretch is the pause behind it, not voice.
PAUSE_DB = 18.0
# The caller's level follows what is heard of them by this share.
FOLLOWING_SHARE = 0.2


class Loudness:
    """Follows the levels of one line; all of them in dB of full scale."""

    def __init__(self) -> None:
        self._caller: float | None = None
        self._echo = QUIETEST_DBFS
        self._noise: float | None = None
        self._stirring_secs = 0.0
        self._level = self._before = QUIETEST_DBFS
        self._loudest = QUIETEST_DBFS

    @property
    def stirring(self) -> bool:
        """Whether somebody seems to begin to speak who may be the caller: known within 40 ms, and often wrong."""
        return self._stirring_secs >= STIRRING_SECS and min(self._level, self._before) >= self._least

    @property
    def is_voice(self) -> bool:
        """Whether the last sound is as loud as its stretch, rather than the pause behind it."""
        return self._level >= self._loudest - PAUSE_DB

    @property
    def is_caller(self) -> bool:
        """Whether this stretch is loud enough to be the caller's."""
        return self._loudest >= self._least

    @property
    def is_near(self) -> bool:
        """The same, whatever the bot's own voice is heard like."""
        return self._loudest >= self._faintest

    def hear(self, level: float, *, secs: float) -> None:
        """So many seconds of sound as loud as that."""
        self._before, self._level = self._level, level
        self._loudest = max(self._loudest, level)
        noise = level if self._noise is None else min(level, self._noise + NOISE_RISE_DB_A_SEC * secs)
        self._noise = max(noise, QUIETEST_DBFS)
        self._stirring_secs = self._stirring_secs + secs if level >= self._noise + OVER_NOISE_DB else 0.0

    def begin(self) -> None:
        """A stretch of voice begins, or began with the last sounds."""
        self._loudest = max(self._level, self._before)

    def was_caller(self) -> None:
        """The stretch was the caller's: they spoke while nobody else did."""
        known = self._loudest if self._caller is None else self._caller
        self._caller = known + FOLLOWING_SHARE * (self._loudest - known)

    def was_echo(self) -> None:
        """The stretch was the bot's own voice."""
        self._echo = max(self._echo, self._loudest)

    @property
    def _faintest(self) -> float:
        return FAINTEST_DBFS if self._caller is None else self._caller - ANOTHER_VOICE_DB

    @property
    def _least(self) -> float:
        return max(self._faintest, self._echo + OVER_ECHO_DB)


def level_dbfs(audio: bytes) -> float:
    """How loud 16-bit sound is, in dB of full scale; its root mean square."""
    samples = np.frombuffer(audio, np.int16).astype(np.float32)
    power = float(np.dot(samples, samples)) / samples.size if samples.size else 0.0
    return max(QUIETEST_DBFS, 10 * math.log10(power) - 20 * math.log10(FULL_SCALE)) if power else QUIETEST_DBFS
