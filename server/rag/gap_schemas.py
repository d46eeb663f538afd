"""What the gaps' routes take and give."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field

from knowledge.gaps import Gap
from server.rag.fields import DocumentRef, Span, Title, example
from server.rag.index_schemas import JobState


class FailedPassage(BaseModel):
    """A passage that was found for the question and did not answer it."""

    document: DocumentRef
    span: Span
    score: float


class StoredGap(BaseModel):
    """A question that the documents did not answer."""

    id: UUID
    collection: str = Field(examples=["default"])
    question: str = Field(examples=["may i bring my dog"])
    count: int = Field(description="how often it was asked")
    first_at: datetime
    last_at: datetime
    state: Literal["open", "closed"]
    document: UUID | None = Field(description="the document that answers it")
    passages: list[FailedPassage] = Field(description="those of the last time, best first")

    @classmethod
    def of(cls, gap: Gap) -> Self:
        """The gap as it is sent."""
        passages = [
            FailedPassage(
                document=DocumentRef(id=UUID(each.document_id), title=each.title, source=each.source),
                span=Span(start=each.start, end=each.end),
                score=each.score,
            )
            for each in gap.passages
        ]
        return cls(**{**vars(gap), "passages": passages, "document": gap.document_id})


class Gaps(BaseModel):
    """Gaps, open ones first, the most asked first."""

    gaps: list[StoredGap]


class CloseGap(BaseModel):
    """What closes the gap."""

    model_config = example(document="0f6d3c0a-6f0e-4c0c-9c58-3c1d53b8b2a1")

    document: UUID | None = Field(default=None, description="the document that answers it, where there is one")


class GapAnswer(BaseModel):
    """The answer to a gap's question."""

    model_config = example(text="The sauna opens at noon, every day of the year.", title="Sauna hours")

    text: str = Field(min_length=1, max_length=500_000, pattern=r"\S", description="Markdown or plain text")
    title: Title | None = Field(default=None, description="the document's title; the question where it is null")


class AnsweredGap(BaseModel):
    """The job that indexes the answer, and the gap: closed once the document is there."""

    job: JobState
    gap: StoredGap
