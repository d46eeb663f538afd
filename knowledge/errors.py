"""What can go wrong between a document and a passage."""

from collections.abc import Sequence


class KnowledgeError(Exception):
    """Any error of the knowledge package."""


class DocumentError(KnowledgeError):
    """A document cannot be read; `reason` is a sentence for the operator that says what to do.

    `source` is the document's path, URL or name.
    """

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(f"{source}: {reason}")
        self.source = source
        self.reason = reason


class EmptyQuestionError(KnowledgeError):
    """A search was asked without a question."""

    def __init__(self) -> None:
        super().__init__("The question is empty; ask with at least one word.")


class NoSuchCollectionError(KnowledgeError):
    """A collection was named that does not exist."""

    def __init__(self, collection: str, there: Sequence[str]) -> None:
        names = ", ".join(there) or "none yet"
        super().__init__(
            f"There is no collection {collection!r}; there is {names}. Index documents into it to make it."
        )
        self.collection = collection
        self.there = tuple(there)


class EmbeddingError(KnowledgeError):
    """Texts could not be embedded now; the message says what to do."""


class KnowledgeUnavailableError(KnowledgeError):
    """Nothing can be retrieved now: the database, the index or the retrieval process is not there, or late."""


class ModelError(KnowledgeError):
    """The embedding model cannot be built or loaded."""


class SchemaError(KnowledgeError):
    """The database refuses to hold the knowledge tables."""
