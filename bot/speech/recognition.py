"""What a recogniser understood."""

from dataclasses import dataclass
from typing import Literal

Engine = Literal["pocketsphinx", "moonshine"]


@dataclass(frozen=True)
class Word:
    """A recognised word, in seconds from the start of the audio; its posterior probability runs from 0 to 1."""

    word: str
    start_secs: float
    end_secs: float
    confidence: float


@dataclass(frozen=True)
class Recognition:
    """The words of an utterance; the text is empty when none was heard.

    The confidence, 0 to 1, estimates the probability that at least two thirds of the words are right. `words` is None
    where the recogniser tells no times.
    """

    text: str
    confidence: float
    words: tuple[Word, ...] | None
