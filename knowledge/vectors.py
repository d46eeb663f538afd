"""The vectors of one embedding model in Postgres with pgvector."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

import numpy as np
from pgvector import HalfVector

from knowledge.chunking import indexed_text
from knowledge.database import BULK_TIMEOUT_SECS, Database, Statements
from knowledge.errors import ModelError

# What pgvector can index of half-precision vectors.
MAX_DIMENSIONS = 4_000
# The limit of the statements that find the nearest.
NEAREST = 100
TITLE_SAMPLE = 200
TITLE_NEIGHBOURS = 40


@dataclass(frozen=True)
class Model:
    """An embedding model that vectors are stored of; searches use the current one."""

    no: int
    model_id: str
    dimensions: int
    is_current: bool

    @property
    def table(self) -> str:
        """Name of the table of its vectors."""
        return f"vectors_{self.no}"


@dataclass(frozen=True)
class WindowToEmbed:
    """A stored window that a model has no vector of yet."""

    window_id: int
    chunk_id: int
    document_id: UUID
    collection: str
    title: str
    heading_path: list[str]
    text: str
    live: bool
    access: list[str]
    effective_date: date | None

    @property
    def indexed_text(self) -> str:
        """What the window is found by."""
        return indexed_text(self.title, self.heading_path, self.text)


class VectorStore:
    """Which models there are, and the vectors of each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def models(self) -> list[Model]:
        """Return the models that vectors are stored of, oldest first."""
        return [Model(**row) for row in await self._database.read("models")]

    async def current(self) -> Model | None:
        """Return the model that searches use; None before the first."""
        return next((model for model in await self.models() if model.is_current), None)

    async def add(self, *, model_id: str, dimensions: int) -> Model:
        """Return the model, with a table for its vectors; the first one is at once the current one.

        Raises ModelError when the model's vectors are too long, or of another length than those stored.
        """
        if dimensions > MAX_DIMENSIONS:
            raise ModelError(
                f"{model_id} makes vectors of {dimensions} numbers; at most {MAX_DIMENSIONS} can be indexed."
            )
        async with self._database.transaction(BULK_TIMEOUT_SECS) as statements:
            await statements.run("lock_schema")
            await statements.run("add_model", model_id=model_id, dimensions=dimensions)
            await statements.run("make_vectors", model_id=model_id)
        model = next(model for model in await self.models() if model.model_id == model_id)
        if model.dimensions != dimensions:
            raise ModelError(f"{model_id} makes {dimensions} numbers a vector, but {model.dimensions} are stored.")
        return model

    async def missing(self, model: Model, *, limit: int) -> list[WindowToEmbed]:
        """Return windows that the model has no vector of, oldest first."""
        rows = await self._database.read(
            "windows_without_vector", vectors=model.table, limit=limit, timeout_secs=BULK_TIMEOUT_SECS
        )
        return [WindowToEmbed(**row) for row in rows]

    async def count_missing(self, model: Model) -> int:
        """Return how many windows the model has no vector of."""
        (row,) = await self._database.read(
            "count_windows_without_vector", vectors=model.table, timeout_secs=BULK_TIMEOUT_SECS
        )
        return row["missing"]

    async def fill(self, model: Model, windows: Sequence[WindowToEmbed], embeddings: np.ndarray) -> None:
        """Store the vectors of these windows, marked as their documents are now; windows that are gone are left out."""
        async with self._database.writing() as statements:
            present = await statements.run("present_windows", window_ids=[window.window_id for window in windows])
            states = {row.pop("window_id"): row for row in present}
            rows = [
                vector_row(replace(window, **states[window.window_id]), embedding)
                for window, embedding in zip(windows, embeddings, strict=True)
                if window.window_id in states
            ]
            await statements.run_many("insert_vector", rows, vectors=model.table)

    async def switch_to(self, model: Model) -> None:
        """Let searches use this model from now on, and drop the vectors of the others."""
        if [model] == await self.models():
            return
        others = [other for other in await self.models() if other.no != model.no]
        async with self._database.writing() as statements:
            await statements.run("unset_current")
            await statements.run("set_current", model_id=model.model_id)
            for other in others:
                await statements.run("drop_vectors", vectors=other.table)
                await statements.run("delete_model", model_id=other.model_id)
            await statements.run("notify_searchable", collection="")

    async def analyze(self, model: Model) -> None:
        """Let the database count its rows anew, so that it plans searches by what there is."""
        await self._database.read("analyze_vectors", vectors=model.table, timeout_secs=BULK_TIMEOUT_SECS)

    async def nearest(
        self,
        model: Model,
        question: np.ndarray,
        *,
        collection: str,
        access: Sequence[str],
        there: int,
    ) -> list[tuple[int, float]]:
        """Return (chunk id, cosine) of the hundred windows nearest to the question that may be seen, best first.

        A chunk comes once a window. Where the index stops before it found a hundred, or all of the `there` windows of
        the collection, all vectors are compared.
        """
        parameters = {"question": HalfVector(question).to_text(), "collection": collection, "access": list(access)}
        rows = await self._database.read("nearest", vectors=model.table, **parameters)
        if len(rows) < min(NEAREST, there):
            rows = await self._database.read("nearest_exactly", vectors=model.table, **parameters)
        return [(row["chunk_id"], row["similarity"]) for row in rows]

    async def similarities(self, model: Model, question: np.ndarray, chunk_ids: Sequence[int]) -> dict[int, float]:
        """Return chunk id → cosine of the question and the chunk's nearest window."""
        rows = await self._database.read(
            "similarity_of_chunks",
            vectors=model.table,
            question=HalfVector(question).to_text(),
            chunk_ids=list(chunk_ids),
        )
        return {row["chunk_id"]: row["similarity"] for row in rows}

    async def similarity_between_titles(self, model: Model, *, collection: str) -> float | None:
        """Return the median cosine of a window to the nearest one under another title; None with a single title."""
        rows = await self._database.read(
            "nearest_of_other_titles",
            vectors=model.table,
            collection=collection,
            sample=TITLE_SAMPLE,
            neighbours=TITLE_NEIGHBOURS,
            timeout_secs=BULK_TIMEOUT_SECS,
        )
        return float(np.median([row["similarity"] for row in rows])) if rows else None


def vector_row(window: WindowToEmbed, embedding: np.ndarray) -> dict[str, Any]:
    """Return the row of a window's vector."""
    return {
        "window_id": window.window_id,
        "chunk_id": window.chunk_id,
        "document_id": window.document_id,
        "collection": window.collection,
        "live": window.live,
        "access": window.access,
        "effective_date": window.effective_date,
        "embedding": HalfVector(embedding).to_text(),
    }


async def mark(statements: Statements, tables: Sequence[str], **state: Any) -> None:
    """Carry a document's state over to its vectors, in every model's table."""
    for table in tables:
        await statements.run("mark_vectors", vectors=table, **state)
