"""What the documents' routes take and give."""

from datetime import date, datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from knowledge.types import Document
from server.rag.fields import Labels, example

DocumentStatus = Literal["indexing", "ready", "failed", "retired"]


class StoredDocument(BaseModel):
    """A document as it stands."""

    id: UUID
    collection: str = Field(examples=["default"])
    source: str = Field(description="an absolute path, a URL or an upload's name", examples=["sauna.md"])
    title: str = Field(examples=["Sauna"])
    status: DocumentStatus
    error: str | None = Field(description="why it could not be read the last time")
    version: int = Field(description="how often its content was read; 0 before the first time")
    chunks: int
    effective_date: date | None
    access: list[str] = Field(description="callers need one of these labels; everyone may hear of it without any")
    indexed_at: datetime | None
    text: str = Field(default="", description="where `text=true` asks for it; passages' spans count in it")

    @classmethod
    def of(cls, document: Document, *, text: str | None = None) -> Self:
        """The document as it is sent."""
        fields = {name: value for name, value in vars(document).items() if name in cls.model_fields}
        return cls.model_validate(fields | ({} if text is None else {"text": text}))


class DocumentPage(BaseModel):
    """Documents in the order of their sources."""

    documents: list[StoredDocument]
    next: str | None = Field(description="the `after` of the next page; null on the last one")


class DocumentChange(BaseModel):
    """What is to change; what is left out stays."""

    model_config = example(retired=True)

    retired: bool | None = Field(default=None, description="true: answers nothing any more; false: answers again")
    effective_date: date | None = Field(default=None, description="the day from which it holds; null: always")
    access: Labels | None = Field(default=None, description="[] is everyone")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("nothing is to be changed; send retired, effective_date or access")
        return self
