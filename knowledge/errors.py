"""What can go wrong between a document and a passage."""

from pathlib import Path


class KnowledgeError(Exception):
    """Any error of the knowledge package."""


class DocumentError(KnowledgeError):
    """A document cannot be read; `reason` is a sentence for the operator that says what to do."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class EmptyQuestionError(KnowledgeError):
    """A search was asked without a question."""

    def __init__(self) -> None:
        super().__init__("The question is empty; ask with at least one word.")


class KnowledgeUnavailableError(KnowledgeError):
    """Nothing can be retrieved now: the database, the index or the retrieval process is not there, or late."""


class ModelError(KnowledgeError):
    """The embedding model cannot be built or loaded."""


class SchemaError(KnowledgeError):
    """The database refuses to hold the knowledge tables."""
