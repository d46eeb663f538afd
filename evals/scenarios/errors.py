"""What is wrong with a scenario, and why a suite can't be held."""

from dataclasses import dataclass
from pathlib import Path


class SuiteError(Exception):
    """The suite can't be held; the message says what to do."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line of a file, counted from 1."""

    file: Path
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True, order=True)
class Complaint:
    """What is wrong, and where; `scenario` is the one that can't be held for it, None where none of the file can."""

    place: Place
    text: str
    scenario: str | None = None

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"
