"""What several of the knowledge's schemas are made of."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from server.rag.names import checked_collection, plain_name

MAX_LABELS = 50

CollectionName = Annotated[
    str, AfterValidator(checked_collection), Field(description="a set of documents that is searched as one")
]
Label = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
Labels = Annotated[list[Label], Field(max_length=MAX_LABELS)]
Title = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300, pattern=r"^[^\x00-\x1f]+$")
]
DocumentName = Annotated[str, Field(max_length=2000), AfterValidator(plain_name)]


def example(**fields: Any) -> ConfigDict:
    """The configuration of a request that takes these fields and no unknown ones."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [fields]})


class DocumentRef(BaseModel):
    """Which document."""

    id: UUID
    title: str = Field(examples=["Sauna"])
    source: str = Field(description="an absolute path, a URL or an upload's name", examples=["sauna.md"])


class Span(BaseModel):
    """Characters of the document's text."""

    start: int
    end: int
