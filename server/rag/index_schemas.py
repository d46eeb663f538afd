"""What indexing takes, and what it tells of its jobs."""

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from knowledge.jobs import Job
from knowledge.store import DEFAULT_COLLECTION
from server.rag.fields import CollectionName, DocumentName, Labels, Title, example

MAX_DOCUMENTS = 200
MAX_URLS = 100


class NewDocument(BaseModel):
    """A document that is handed over as text."""

    model_config = ConfigDict(extra="forbid")

    name: DocumentName = Field(description="names it among the others: the same name again replaces it")
    text: str = Field(min_length=1)
    content_type: Literal["text/markdown", "text/plain", "text/html", "text/csv", "text/tab-separated-values"] = (
        "text/markdown"
    )
    title: Title | None = Field(default=None, description="spoken as its source; read from the text where it is null")
    effective_date: date | None = Field(default=None, description="the day from which it holds")
    access: Labels | None = Field(default=None, description="who may hear of it; the request's where it is null")


class Target(BaseModel):
    """Where documents go, and who may hear of them."""

    model_config = ConfigDict(extra="forbid")

    collection: CollectionName = DEFAULT_COLLECTION
    access: Labels | None = Field(
        default=None,
        description="callers need one of these labels; [] is everyone, null leaves those that a document has",
    )


class IndexBody(Target):
    """Documents to be indexed: handed over, or fetched."""

    model_config = example(
        documents=[{"name": "sauna.md", "text": "# Sauna\n\nThe sauna opens at noon."}],
        urls=["https://www.example.com/sitemap.xml"],
    )

    documents: list[NewDocument] = Field(default=[], max_length=MAX_DOCUMENTS)
    urls: list[Annotated[str, Field(max_length=4000)]] = Field(
        default=[], max_length=MAX_URLS, description="pages and sitemaps"
    )


class QueuedJob(BaseModel):
    """A job that will index what was sent."""

    job: UUID = Field(description="ask `GET /api/rag/jobs/{id}` how far it is; Location names it as well")
    collection: str = Field(examples=["default"])
    documents: list[str] = Field(description="the names that the documents go by", examples=[["sauna.md"]])
    urls: list[str] = Field(examples=[["https://www.example.com/sitemap.xml"]])


class JobFailure(BaseModel):
    """A document that could not be indexed, and what to do."""

    source: str = Field(examples=["scan.pdf"])
    reason: str = Field(examples=["it holds no text; run OCR on it and save it as PDF."])


class JobState(BaseModel):
    """How far a job is; a job with a failed document is failed, and everything else in it is indexed."""

    id: UUID
    collection: str = Field(examples=["default"])
    state: Literal["queued", "running", "done", "failed"]
    total: int = Field(description="0 until folders and sitemaps are listed")
    done: int
    counts: dict[str, int] = Field(
        description="how many documents are pending, added, changed, unchanged, moved, removed and failed",
        examples=[{"added": 11, "failed": 1}],
    )
    failures: list[JobFailure] = Field(description="the first hundred")
    error: str | None = Field(description="why the whole job stopped")
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    @classmethod
    def of(cls, job: Job) -> Self:
        """The job as it is sent."""
        failures = [JobFailure(source=each.source, reason=each.reason) for each in job.failures]
        return cls(**{**vars(job), "failures": failures, "done": job.done})
