"""Questions that the documents could not answer, kept for the operator."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import numpy as np
from pgvector import HalfVector
from psycopg.types.json import Jsonb

from knowledge.database import BULK_TIMEOUT_SECS, Database, Statements

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

    Times that were forgotten do not count, and a gap whose every time was is gone.
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
        call_id: str | None = None,
    ) -> UUID:
        """Count a question that was not answered, with one that says the same where there is one; return the gap's id.

        `vector` is the id of the embedding model and the question's vector, `call_id` the call that it was asked in.
        """
        question = " ".join(question.split())[:MAX_QUESTION_CHARACTERS]
        model_id, embedding = (None, None) if vector is None else (vector[0], HalfVector(vector[1]).to_text())
        stored = Jsonb([asdict(passage) for passage in passages])
        words = {"question": question, "embedding": embedding, "model_id": model_id}
        async with self._database.transaction() as statements:
            gap_id = await self._same(statements, stored, collection=collection, model_id=model_id, embedding=embedding)
            if gap_id is None:
                (row,) = await statements.run("add_gap", collection=collection, passages=stored, **words)
                gap_id = row["id"]
            await statements.run("add_asking", gap_id=gap_id, call_id=call_id or "", **words)
        return gap_id

    async def _same(
        self, statements: Statements, passages: Jsonb, *, collection: str, model_id: str | None, embedding: str | None
    ) -> UUID | None:
        """Count a question that says the same; None where there is none."""
        if embedding is None:
            return None
        near = await statements.run("nearest_gap", collection=collection, model_id=model_id, embedding=embedding)
        for gap in near:
            if gap["similarity"] >= SAME_QUESTION and await statements.run(
                "repeat_gap", gap_id=gap["id"], passages=passages
            ):
                return gap["id"]
        return None

    async def forget_calls(self, call_ids: Sequence[str]) -> None:
        """Forget that these calls asked: a gap that nobody else asked goes, another one is put in others' words."""
        async with self._database.transaction(BULK_TIMEOUT_SECS) as statements:
            gap_ids = [row["id"] for row in await statements.run("gaps_of_calls", call_ids=list(call_ids))]
            await statements.run("forget_askings_of_calls", call_ids=list(call_ids))
            await _settle(statements, gap_ids)

    async def forget_before(self, before: datetime, *, limit: int) -> bool:
        """Forget who asked before, of `limit` gaps at most; whether there may be more."""
        async with self._database.transaction() as statements:
            found = await statements.run("gaps_asked_before", before=before, limit=limit)
            gap_ids = [row["id"] for row in found]
            await statements.run("forget_askings_before", gap_ids=gap_ids, before=before)
            await _settle(statements, gap_ids)
        return bool(gap_ids)

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


async def _settle(statements: Statements, gap_ids: Sequence[UUID]) -> None:
    """Bring gaps into line with who asked them."""
    rows = [{"gap_id": gap_id} for gap_id in gap_ids]
    for name in ("reword_gap", "drop_unasked_gap", "recount_gap"):
        await statements.run_many(name, rows)


def _gap(row: dict[str, Any]) -> Gap:
    return Gap(**dict(row, passages=tuple(GapPassage(**passage) for passage in row["passages"])))
