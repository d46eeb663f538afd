"""What searching takes and gives, and what is told of collections and processes."""

from datetime import date
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from knowledge.store import DEFAULT_COLLECTION, Collection
from knowledge.types import Passage, SearchResult, Turn
from server.rag.fields import CollectionName, DocumentRef, Labels, Span, example


class PastTurn(BaseModel):
    """What one side said earlier."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["user", "assistant"]
    text: str = Field(max_length=5000)

    def to_turn(self) -> Turn:
        """The same inside."""
        return Turn(self.role, self.text)


class SearchBody(BaseModel):
    """A question."""

    model_config = example(
        question="And on Sundays?", history=[{"role": "user", "text": "When is the workshop open?"}], limit=2
    )

    question: str = Field(min_length=1, max_length=2000)
    history: list[PastTurn] = Field(default=[], max_length=50, description="what was said before, oldest first")
    collection: CollectionName = DEFAULT_COLLECTION
    limit: int = Field(default=4, ge=1, le=50, description="passages at most")
    access: Labels = Field(default=[], description="the labels that the caller holds")
    explain: bool = Field(default=False, description="what each leg of the search gave each passage")
    gated: bool = Field(default=False, description="find nothing for small talk and what is off topic, as a call does")


class Leg(BaseModel):
    """A leg's own score, and that stretched to 0..1 over the candidates."""

    raw: float
    stretched: float


class FoundPassage(BaseModel):
    """A citation, and how well it fits."""

    document: DocumentRef
    title: str = Field(examples=["Sauna"])
    heading_path: list[str] = Field(examples=[["Opening hours", "Sundays"]])
    page: int | None = Field(description="counts from 1; null where there are no pages")
    span: Span
    quote: str = Field(description="the document's text in the span", examples=["The sauna opens at noon."])
    score: float = Field(description="orders these passages, 0 to 1")
    similarity: float | None = Field(description="cosine of question and passage; null where it was not compared")
    effective_date: date | None = Field(description="the day from which the document holds")
    legs: dict[str, Leg] = Field(default={}, description="where `explain` asks for it")

    @classmethod
    def of(cls, passage: Passage) -> Self:
        """The passage as it is sent."""
        explained = {} if passage.legs is None else {"legs": {k: vars(v) for k, v in passage.legs.items()}}
        return cls.model_validate(
            {
                "document": DocumentRef(id=passage.document_id, title=passage.title, source=passage.source),
                "title": passage.title,
                "heading_path": list(passage.heading_path),
                "page": passage.page,
                "span": Span(start=passage.start, end=passage.end),
                "quote": passage.text,
                "score": passage.score,
                "similarity": passage.similarity,
                "effective_date": passage.effective_date,
                **explained,
            }
        )


class Found(BaseModel):
    """What a search came to; best first."""

    verdict: Literal["found", "small_talk", "off_topic"]
    passages: list[FoundPassage]

    @classmethod
    def of(cls, result: SearchResult) -> Self:
        """The result as it is sent."""
        return cls(verdict=result.verdict.value, passages=[FoundPassage.of(each) for each in result.passages])


class StoredCollection(BaseModel):
    """A set of documents, and how it is searched."""

    name: str = Field(examples=["default"])
    title_weight: float = Field(description="how much of a search goes by titles, 0 to 1; decided from the two below")
    title_similarity: float | None = Field(
        description="median cosine of a passage to the nearest one under another title; null before the first job"
    )
    chunks_per_title: float | None

    @classmethod
    def of(cls, collection: Collection) -> Self:
        """The collection as it is sent."""
        return cls(**vars(collection))


class Collections(BaseModel):
    """All collections, by name."""

    collections: list[StoredCollection]


class Health(BaseModel):
    """Whether the knowledge's two processes run."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok", "retrieval": True, "indexer": True}]})

    status: Literal["ok", "degraded"]
    retrieval: bool
    indexer: bool
