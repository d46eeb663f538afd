"""Questions that the documents could not answer, kept for the operator."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import numpy as np
from pgvector import HalfVector
from psycopg.types.json import Jsonb

from knowledge.database import Database

# Two questions this near are one, asked in other words.
SAME_QUESTION = 0.9
MAX_QUESTION_CHARACTERS = 500

GapState = Literal["open", "closed"]


@dataclass(frozen=True)
class GapPassage:
    """A passage that was found for the question and did not answer it."""

    document_id: str
    title: str
    source: str
    start: int
    end: int
    score: float


@dataclass(frozen=True)
class Gap:
    """A question that came `count` times and was not answered; `passages` are those of the last time, best first.

    A closed gap names the document that answers it, where one was added for it; it opens again when it is asked again
    in vain.
    """

    id: UUID
    collection: str
    question: str
    passages: tuple[GapPassage, ...]
    count: int
    first_at: datetime
    last_at: datetime
    state: GapState
    document_id: UUID | None


class GapStore:
    """Reads and writes gaps.

    Every method raises KnowledgeUnavailableError when the database does not answer in time.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(
        self,
        question: str,
        passages: Sequence[GapPassage],
        *,
        collection: str,
        vector: tuple[str, np.ndarray] | None,
    ) -> UUID:
        """Count a question that was not answered, with one that says the same where there is one; return the gap's id.

        `vector` is the id of the embedding model and the question's vector.
        """
        question = " ".join(question.split())[:MAX_QUESTION_CHARACTERS]
        model_id, embedding = (None, None) if vector is None else (vector[0], HalfVector(vector[1]).to_text())
        stored = Jsonb([asdict(passage) for passage in passages])
        async with self._database.transaction() as statements:
            if embedding is not None:
                near = await statements.run(
                    "nearest_gap", collection=collection, model_id=model_id, embedding=embedding
                )
                for gap in near:
                    if gap["similarity"] >= SAME_QUESTION:
                        await statements.run("repeat_gap", gap_id=gap["id"], passages=stored)
                        return gap["id"]
            (row,) = await statements.run(
                "add_gap",
                collection=collection,
                question=question,
                embedding=embedding,
                model_id=model_id,
                passages=stored,
            )
        return row["id"]

    async def list(
        self, *, collection: str | None = None, state: GapState | None = "open", limit: int = 100
    ) -> list[Gap]:
        """Return gaps, open ones first, the most asked first; of all collections where none is named."""
        rows = await self._database.read("list_gaps", collection=collection, state=state, limit=limit)
        return [_gap(row) for row in rows]

    async def get(self, gap_id: UUID) -> Gap | None:
        """Return a gap; None when there is none."""
        rows = await self._database.read("get_gap", gap_id=gap_id)
        return _gap(rows[0]) if rows else None

    async def close(self, gap_id: UUID, *, document_id: UUID | None = None) -> bool:
        """Close a gap, by the document that answers it or without one; False when there is no such gap."""
        return bool(await self._database.read("close_gap", gap_id=gap_id, document_id=document_id))


def _gap(row: dict[str, Any]) -> Gap:
    return Gap(**dict(row, passages=tuple(GapPassage(**passage) for passage in row["passages"])))
