"""The values that pass between the steps from a document to a passage."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal
from uuid import UUID


@dataclass(frozen=True)
class Document:
    """A source text as it stands in the store.

    `source` is an absolute path, unique in its collection. `content_hash` is empty when nothing could be read;
    `error` then says why, in a sentence for the operator.
    """

    id: UUID
    source: str
    title: str
    content_hash: str
    version: int = 1
    chunks: int = 0
    error: str | None = None


@dataclass(frozen=True)
class Section:
    """What stands under one heading: a span of the document's text, in characters."""

    heading_path: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True)
class LoadedDocument:
    """A document as plain text, free of its format's markup, with its sections in reading order."""

    title: str
    text: str
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class Chunk:
    """A stored slice of a document: `text` is exactly the document's text from `start` to `end`, in characters.

    `section` numbers the document's sections; the chunks of one section share it and follow each other.
    """

    ordinal: int
    heading_path: tuple[str, ...]
    text: str
    start: int
    end: int
    section: int = 0


@dataclass(frozen=True)
class Turn:
    """What one side said earlier in the call."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True)
class Passage:
    """A retrieved slice of a document: `text` is exactly the document's text from `start` to `end`, in characters.

    `score` orders the passages of one search, 0 to 1, and says nothing across searches. `similarity` is the cosine
    between question and passage, -1 to 1, and can be compared across searches.
    """

    document_id: UUID
    source: str
    title: str
    heading_path: tuple[str, ...]
    text: str
    start: int
    end: int
    score: float
    similarity: float

    def to_dict(self) -> dict[str, Any]:
        """Return the wire form."""
        return asdict(self) | {"document_id": str(self.document_id), "heading_path": list(self.heading_path)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Passage":
        """Read the wire form; raises KeyError or ValueError when it is not one."""
        return cls(
            document_id=UUID(data["document_id"]),
            source=data["source"],
            title=data["title"],
            heading_path=tuple(data["heading_path"]),
            text=data["text"],
            start=int(data["start"]),
            end=int(data["end"]),
            score=float(data["score"]),
            similarity=float(data["similarity"]),
        )
