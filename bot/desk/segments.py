"""Cuts audio into stretches of speech. Pure: the voice in each window is told by whoever has a detector."""

from dataclasses import dataclass

WINDOW_SAMPLES = 512
WINDOW_BYTES = 2 * WINDOW_SAMPLES


@dataclass(frozen=True, slots=True)
class Began:
    """Speech begins at this sample, with some silence before it; its windows follow."""

    at: int


@dataclass(frozen=True, slots=True)
class Ended:
    """Speech ended before this sample."""

    at: int


@dataclass(frozen=True, slots=True)
class Pauses:
    """When speech begins and ends, in windows of 32 ms.

    A stretch begins once `start` windows in a row have voice, `lead` windows earlier; it ends after `stop` windows
    without. Where there is no pause, it ends at the first window without voice from `long` on, at the latest at
    `longest`.
    """

    confidence: float = 0.5
    start: int = 3
    lead: int = 10
    stop: int = 16
    long: int = 375
    longest: int = 470


class Segmenter:
    """Windows of 512 samples in, stretches of speech out."""

    def __init__(self, pauses: Pauses) -> None:
        self._pauses = pauses
        self._at = 0
        self._lead: list[bytes] = []
        self._voiced = self._unvoiced = 0
        self._length = 0

    def feed(self, window: bytes, confidence: float) -> list[Began | bytes | Ended]:
        """What one more window comes to; `confidence`, 0 to 1, says how sure it is that there is a voice in it."""
        self._at += 1
        voice = confidence >= self._pauses.confidence
        self._voiced, self._unvoiced = (self._voiced + 1, 0) if voice else (0, self._unvoiced + 1)
        return self._speaking(window) if self._length else self._quiet(window)

    def end(self) -> list[Began | bytes | Ended]:
        """The end of the audio, which ends the speech in it."""
        return self._cut() if self._length else []

    def _quiet(self, window: bytes) -> list[Began | bytes | Ended]:
        pauses = self._pauses
        self._lead = [*self._lead, window][-(pauses.lead + pauses.start) :]
        if self._voiced < pauses.start:
            return []
        windows, self._lead = self._lead, []
        self._length = len(windows)
        return [Began((self._at - len(windows)) * WINDOW_SAMPLES), *windows]

    def _speaking(self, window: bytes) -> list[Began | bytes | Ended]:
        pauses = self._pauses
        self._length += 1
        over = self._unvoiced >= pauses.stop or (self._length >= pauses.long and self._unvoiced > 0)
        return [window, *(self._cut() if over or self._length >= pauses.longest else [])]

    def _cut(self) -> list[Began | bytes | Ended]:
        # The word in which it had to be cut goes on at once.
        self._voiced = self._length = 0
        return [Ended(self._at * WINDOW_SAMPLES)]
