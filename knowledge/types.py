"""The values that pass between the steps from a document to a passage."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID


@dataclass(frozen=True)
class Document:
    """A source text as it stands in the store.

    `source` is an absolute path, a URL or an upload's name, unique in its collection. `version` counts how often its
    content was read, 0 before the first time. `status` is indexing, ready, failed or retired; `error` says in a
    sentence for the operator why it could not be read the last time. `access` holds the labels of which a caller needs
    one to see it; everyone sees it where there is none. `effective_date` is the day from which it holds.
    """

    id: UUID
    collection: str
    source: str
    title: str
    content_hash: str
    version: int
    status: Literal["indexing", "ready", "failed", "retired"]
    error: str | None
    effective_date: date | None
    access: tuple[str, ...]
    indexed_at: datetime | None
    chunks: int


@dataclass(frozen=True)
class Section:
    """What stands under one heading: a span of the document's text, in characters."""

    heading_path: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True)
class LoadedDocument:
    """A document as plain text, free of its format's markup, with its sections in reading order.

    `page_starts` holds the character offset at which each page begins, and is empty where the format has no pages.
    `effective_date` is the day from which the document itself says that it holds.
    """

    title: str
    text: str
    sections: tuple[Section, ...]
    page_starts: tuple[int, ...] = ()
    effective_date: date | None = None


def page_of(offset: int, page_starts: Sequence[int]) -> int | None:
    """Return the page, from 1, that a character of the document stands on; None where there are no pages."""
    return bisect_right(page_starts, offset) or None


@dataclass(frozen=True)
class Chunk:
    """A stored slice of a document: `text` is exactly the document's text from `start` to `end`, in characters.

    `windows` are the parts of it that are embedded, each its start and end in the chunk's text, in reading order.
    """

    ordinal: int
    heading_path: tuple[str, ...]
    text: str
    start: int
    end: int
    windows: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class ChangedDocument:
    """A document that an index of words must put in, or out where it is not live; `change` grows with each write."""

    id: UUID
    collection: str
    change: int
    live: bool
    title: str
    access: tuple[str, ...]
    effective_date: date | None


@dataclass(frozen=True)
class StoredWindow:
    """An embedded part of a chunk, as an index of words needs it."""

    document_id: UUID
    chunk_id: int
    window_id: int
    heading_path: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Turn:
    """What one side said earlier in the call."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True)
class LegScore:
    """What one leg of a search makes of a passage: its own score, and that stretched to 0..1 over the candidates."""

    raw: float
    stretched: float


@dataclass(frozen=True)
class Passage:
    """A retrieved slice of a document: `text` is exactly the document's text from `start` to `end`, in characters.

    `score` orders the passages of one search, 0 to 1, and says nothing across searches. `similarity` is the cosine
    between question and passage, -1 to 1, and can be compared across searches; None where the question could not be
    embedded in time. `page` counts from 1. `effective_date` is the day from which the document holds, where it is
    known. `legs` is there where it was asked for.
    """

    document_id: UUID
    source: str
    title: str
    heading_path: tuple[str, ...]
    text: str
    start: int
    end: int
    score: float
    similarity: float | None
    page: int | None = None
    effective_date: date | None = None
    legs: Mapping[str, LegScore] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the wire form."""
        return asdict(self) | {
            "document_id": str(self.document_id),
            "heading_path": list(self.heading_path),
            "effective_date": self.effective_date and self.effective_date.isoformat(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Passage":
        """Read the wire form; raises KeyError or ValueError when it is not one."""
        similarity, day, legs = data["similarity"], data["effective_date"], data["legs"]
        return cls(
            document_id=UUID(data["document_id"]),
            source=data["source"],
            title=data["title"],
            heading_path=tuple(data["heading_path"]),
            text=data["text"],
            start=int(data["start"]),
            end=int(data["end"]),
            score=float(data["score"]),
            similarity=None if similarity is None else float(similarity),
            page=data["page"],
            effective_date=None if day is None else date.fromisoformat(day),
            legs=None if legs is None else {leg: LegScore(**score) for leg, score in legs.items()},
        )


class Verdict(StrEnum):
    """What a search made of a turn."""

    FOUND = "found"
    SMALL_TALK = "small_talk"
    OFF_TOPIC = "off_topic"


@dataclass(frozen=True)
class SearchResult:
    """What a search came to: `passages` best first, none unless the verdict is FOUND."""

    verdict: Verdict
    passages: tuple[Passage, ...] = ()
