"""A conversation, and the answer to it."""

from datetime import date
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bot.desk.requests import MAX_MESSAGES, CompletionRequest, SaidMessage
from knowledge.store import DEFAULT_COLLECTION
from server.rag.fields import CollectionName, example

_CITATION: dict[str, Any] = {
    "number": 1,
    "title": "Opening hours",
    "heading_path": ["Workshop"],
    "quote": "The workshop is closed on Sundays.",
    "passage": "The workshop is open from nine to six. The workshop is closed on Sundays.",
    "start": 412,
    "end": 446,
    "source": "opening-hours.md",
    "document_id": "6f1f0d7c-5d0b-4b86-9d0c-0f6d3c0a8f11",
    "page": None,
    "effective_date": None,
    "score": 0.83,
}
_USAGE: dict[str, Any] = {"prompt_tokens": 612, "completion_tokens": 24, "total_tokens": 636}
_TEXT = "The workshop is closed on Sundays. That's from the opening hours page."


class CompletionBody(BaseModel):
    """What was said so far, and whether the documents are to be looked at."""

    model_config = example(messages=[{"role": "user", "content": "Is the workshop open on Sundays?"}], knowledge=True)

    messages: list[SaidMessage] = Field(min_length=1, max_length=MAX_MESSAGES, description="oldest first")
    knowledge: bool | CollectionName = Field(
        default=False, description="ground the answer in the documents: of the collection named, or `default`"
    )
    max_tokens: int | None = Field(
        default=None, ge=1, le=100_000, description="of the answer; the embedded answerer has no use for it"
    )
    temperature: float | None = Field(
        default=None, ge=0, le=2, description="where the model takes one; the embedded answerer has no use for it"
    )

    @model_validator(mode="after")
    def _ask_something(self) -> "CompletionBody":
        if self.knowledge is not False and self.messages[-1].role != "user":
            raise ValueError("with knowledge, the last message must be the user's: it is what is looked up")
        return self

    def to_request(self) -> CompletionRequest:
        """The same for the desk."""
        named = self.knowledge if isinstance(self.knowledge, str) else DEFAULT_COLLECTION
        return CompletionRequest(
            messages=self.messages,
            collection=None if self.knowledge is False else named,
            max_tokens=self.max_tokens,
            temperature=self.temperature,
        )


class CitedSource(BaseModel):
    """What a sentence of the answer rests on; `start` and `end` are the quote's characters in the document's text."""

    number: int = Field(description="the passage's number in this answer")
    title: str
    heading_path: list[str]
    quote: str
    passage: str
    start: int
    end: int
    source: str
    document_id: UUID
    page: int | None
    effective_date: date | None
    score: float


class Usage(BaseModel):
    """Tokens."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class CompletionAnswer(BaseModel):
    """The answer. Its text is what a caller would hear: without `[n]` markers, each source named once in words."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"text": _TEXT, "citations": [_CITATION], "finish_reason": "stop", "usage": _USAGE}]
        }
    )

    text: str
    citations: list[CitedSource]
    finish_reason: Literal["stop", "length"]
    usage: Usage | None = Field(description="null where the model tells none")
