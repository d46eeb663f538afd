"""What the last answer said and cited, for a caller who asks about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class LastAnswer:
    """The text that was given to the voice, and what the page was told of its sources.

    `number` is the same for an answer and its recording. Of an answer that was cut off, `text` is its beginning.
    """

    number: int = 0
    text: str = ""
    citations: list[Mapping[str, Any]] = field(default_factory=list)


class Answers:
    """Keeps the last answer, up to the first word of the next one.

    `text` is what counts as said before the first one.
    """

    def __init__(self, text: str = "") -> None:
        self.last = LastAnswer(text=text)
        self._next = LastAnswer()

    def begin(self, number: int) -> None:
        """An answer begins."""
        self._next = LastAnswer(number)

    def cite(self, message: Mapping[str, Any]) -> None:
        """It rests on this, as the page is told."""
        self._next.citations.append(message)

    def say(self, text: str) -> None:
        """It goes on."""
        self._next.text += text
        if text.strip():
            self.last = self._next

    def speak(self, text: str) -> None:
        """Something is said that is no answer, such as the greeting."""
        if not self.last.text:
            self.last = LastAnswer(text=text)
