"""One stretch of a voice's audio against the text that it speaks, and how long voices take."""

import math
from collections import deque
from dataclasses import dataclass, field

from pipecat.frames.frames import AggregatedTextProgressFrame, TTSTextFrame
from pipecat.utils.text.base_text_aggregator import TextType

from processors.failover.script import Unit

# A word, and behind it how much of its sentence was said with it.
Word = TTSTextFrame | AggregatedTextProgressFrame

# Twice as fast as people speak: what comes with less audio was not said.
FASTEST_LETTERS_PER_SEC = 25.0
# Slower than anybody reads aloud, with a pause to begin with: more audio than that isn't this text.
SLOWEST_LETTERS_PER_SEC = 3.0
LONGEST_PAUSE_SECS = 4.0
LETTERS_A_DIGIT = 6

MIN_FIRST_AUDIO_SECS = 0.8
MAX_FIRST_AUDIO_SECS = 2.5
# Of a voice of which nothing is known, where the voice of another vendor could speak.
UNKNOWN_FIRST_AUDIO_SECS = 1.0
FIRST_AUDIO_FACTOR = 1.5
FEW_SAMPLES = 5


def least_secs(text: str) -> float:
    """How long a text sounds at least."""
    return sum(character.isalnum() for character in text) / FASTEST_LETTERS_PER_SEC


def most_secs(text: str) -> float:
    """How long a text sounds at most; a digit may stand for a word."""
    letters = sum(LETTERS_A_DIGIT if c.isdigit() else c.isalnum() for c in text)
    return letters / SLOWEST_LETTERS_PER_SEC + LONGEST_PAUSE_SECS


def first_audio_limit_secs(samples: deque[float], *, unknown_secs: float) -> float:
    """How long a voice's first audio is waited for, by its last ones: its p95 and half as much again, 0.8 to 2.5 s.

    `unknown_secs` where these are too few.
    """
    if len(samples) < FEW_SAMPLES:
        return unknown_secs
    p95 = sorted(samples)[math.ceil(len(samples) * 0.95) - 1]
    return min(max(p95 * FIRST_AUDIO_FACTOR, MIN_FIRST_AUDIO_SECS), MAX_FIRST_AUDIO_SECS)


def written(frame: TTSTextFrame) -> str:
    """What a word that was said stands for: nothing before the last of the words that one written word is said in."""
    if frame.raw_text is not None:
        return frame.raw_text
    return frame.text if frame.append_to_context or frame.text_type != TextType.WORD else ""


@dataclass(slots=True, eq=False)
class Take:
    """The audio of one context, and the words of it that are held until it was said."""

    unit: Unit | None
    asked_at: float
    announced: str = ""
    audio_secs: float = 0.0
    begun_ns: int | None = None
    untimed_secs: float = 0.0
    held: deque[Word] = field(default_factory=deque)
    released_letters: int = 0

    @property
    def unsaid(self) -> bool:
        """Whether announced text was not said yet."""
        return self.released_letters < sum(c.isalnum() for c in self.announced)

    @property
    def too_long(self) -> bool:
        """Whether this is more audio than the text can be."""
        return bool(self.announced) and self.audio_secs > most_secs(self.announced)

    def sound(self, secs: float, *, base_ns: int) -> None:
        """More audio went out; the service counts its words from `base_ns` on, if this is the first."""
        if self.begun_ns is None:
            self.begun_ns = base_ns
        self.audio_secs += secs

    def release(self) -> list[Word]:
        """The held words that the audio holds by now, in their order."""
        released: list[Word] = []
        while self.held and self.begun_ns is not None:
            frame = self.held[0]
            if isinstance(frame, AggregatedTextProgressFrame):
                released.append(self.held.popleft())
                continue
            start_secs = (frame.pts - self.begun_ns) / 1e9 if frame.pts else self.untimed_secs
            if self.audio_secs < start_secs + least_secs(frame.text):
                break
            self.held.popleft()
            if not frame.pts:
                self.untimed_secs += least_secs(frame.text)
            self.released_letters += sum(c.isalnum() for c in written(frame))
            released.append(frame)
        return released
