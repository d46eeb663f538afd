"""Documents and chunks in Postgres with pgvector."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from pgvector import HalfVector
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from knowledge.errors import KnowledgeUnavailableError, SchemaError
from knowledge.sql import queries, schema
from knowledge.types import Chunk, Document, Passage

READ_TIMEOUT_SECS = 5.0
# Loading every chunk, or writing a large document, takes longer than a look-up.
BULK_TIMEOUT_SECS = 120.0


@dataclass(frozen=True)
class StoredChunk:
    """What an index over all chunks is made of."""

    id: int
    title: str
    heading_path: tuple[str, ...]
    text: str


class Store:
    """Reads and writes the knowledge tables; every write is one transaction and announces itself.

    Every method raises KnowledgeUnavailableError when the database does not answer in time.
    """

    def __init__(self, pool: AsyncConnectionPool[Any]) -> None:
        self._pool = pool

    async def migrate(self) -> None:
        """Create whatever of the schema is missing; raises SchemaError when the database refuses."""
        try:
            async with self._transaction(BULK_TIMEOUT_SECS) as cursor:
                await cursor.execute(queries()["lock_schema"])
                await cursor.execute(schema())
        except psycopg.DatabaseError as error:
            raise SchemaError(
                "The knowledge tables cannot be created; the database needs pgvector 0.8 or later, and its user "
                "the right to create extensions, tables and functions."
            ) from error

    async def embedding_model(self) -> str | None:
        """Return the id of the model whose vectors are stored; None before the first."""
        rows = await self._read("embedding_model")
        return rows[0]["value"] if rows else None

    async def replace_embeddings(self, *, model_id: str, chunk_ids: Sequence[int], embeddings: np.ndarray) -> None:
        """Make these the vectors of the chunks, and `model_id` the model that all stored vectors are of."""
        async with self._transaction(BULK_TIMEOUT_SECS) as cursor:
            updates = [
                {"chunk_id": chunk_id, "embedding": _vector(embedding)}
                for chunk_id, embedding in zip(chunk_ids, embeddings, strict=True)
            ]
            await cursor.executemany(queries()["update_embedding"], updates)
            await cursor.execute(queries()["set_embedding_model"], {"model_id": model_id})
            await _announce(cursor, None)

    async def upsert_document(
        self,
        *,
        collection: str,
        source: str,
        title: str,
        content_hash: str,
        text: str,
        chunks: Sequence[Chunk],
        embeddings: np.ndarray,
    ) -> UUID:
        """Store a document with one embedding a chunk, in place of what stood under its source."""
        async with self._transaction(BULK_TIMEOUT_SECS) as cursor:
            document_id = await self._write_document(
                cursor,
                collection=collection,
                source=source,
                title=title,
                content_hash=content_hash,
                text=text,
                status="indexed",
                error=None,
            )
            inserts = [
                _chunk_row(document_id, chunk, embedding) for chunk, embedding in zip(chunks, embeddings, strict=True)
            ]
            await cursor.executemany(queries()["insert_chunk"], inserts)
            await _announce(cursor, document_id)
        return document_id

    async def record_failure(self, *, collection: str, source: str, title: str, error: str) -> UUID:
        """Store that a document cannot be read; what stood under its source is no longer found."""
        async with self._transaction(READ_TIMEOUT_SECS) as cursor:
            document_id = await self._write_document(
                cursor,
                collection=collection,
                source=source,
                title=title,
                content_hash="",
                text="",
                status="failed",
                error=error,
            )
            await _announce(cursor, document_id)
        return document_id

    async def remove_document(self, *, collection: str, source: str) -> bool:
        """Remove a document and its chunks; False when there is none under the source."""
        async with self._transaction(READ_TIMEOUT_SECS) as cursor:
            await cursor.execute(queries()["delete_document"], {"collection": collection, "source": source})
            row = await cursor.fetchone()
            if row is not None:
                await _announce(cursor, row["id"])
        return row is not None

    async def list_documents(self, *, collection: str) -> list[Document]:
        """Return the collection's documents, failed ones too, by source."""
        return [Document(**row) for row in await self._read("list_documents", collection=collection)]

    async def content_hashes(self, *, collection: str) -> dict[str, str]:
        """Return source → content hash; the hash of a document that failed is empty."""
        rows = await self._read("content_hashes", collection=collection)
        return {row["source"]: row["content_hash"] for row in rows}

    async def all_texts(self) -> list[str]:
        """Return each document's title and each document's text, whose headings are lines of it."""
        rows = await self._read("all_texts", timeout_secs=BULK_TIMEOUT_SECS)
        return [text for row in rows for text in (row["title"], row["text"])]

    async def all_chunks(self) -> list[StoredChunk]:
        """Return every chunk in the order of ids."""
        rows = await self._read("all_chunks", timeout_secs=BULK_TIMEOUT_SECS)
        return [StoredChunk(row["id"], row["title"], tuple(row["heading_path"]), row["text"]) for row in rows]

    async def count(self) -> tuple[int, int]:
        """Return how many documents are indexed and how many chunks they have."""
        (row,) = await self._read("count")
        return row["documents"], row["chunks"]

    async def similarities(self, question: np.ndarray, *, limit: int, also: Iterable[int] = ()) -> dict[int, float]:
        """Return chunk id → cosine to the question, of the nearest chunks and of those asked for besides."""
        rows = await self._read("similarities", question=_vector(question), how_many=limit, also=list(also))
        return {row["chunk_id"]: row["similarity"] for row in rows}

    async def passages(self, scores: dict[int, tuple[float, float]], *, max_characters: int) -> list[Passage]:
        """Return the passages that chunks stand for, best first, given chunk id → (score, similarity).

        A section of at most `max_characters` is one passage; it keeps the values of its best chunk.
        """
        rows = await self._read("passages", chunk_ids=list(scores), max_characters=max_characters)
        rows.sort(key=lambda row: scores[row["chunk_id"]], reverse=True)
        best: dict[tuple[UUID, int], Passage] = {}
        for row in rows:
            score, similarity = scores[row.pop("chunk_id")]
            fields = row | {"heading_path": tuple(row["heading_path"]), "score": score, "similarity": similarity}
            best.setdefault((row["document_id"], row["start"]), Passage(**fields))
        return list(best.values())

    async def _write_document(self, cursor: psycopg.AsyncCursor[DictRow], **fields: Any) -> UUID:
        await cursor.execute(queries()["upsert_document"], fields)
        row = await cursor.fetchone()
        assert row is not None, "an upsert always returns its row"
        await cursor.execute(queries()["delete_chunks"], {"document_id": row["id"]})
        return row["id"]

    async def _read(self, name: str, *, timeout_secs: float = READ_TIMEOUT_SECS, **parameters: Any) -> list[DictRow]:
        async with self._transaction(timeout_secs) as cursor:
            await cursor.execute(queries()[name], parameters)
            return await cursor.fetchall()

    @asynccontextmanager
    async def _transaction(self, timeout_secs: float) -> AsyncIterator[psycopg.AsyncCursor[DictRow]]:
        try:
            async with (
                asyncio.timeout(timeout_secs),
                self._pool.connection() as connection,
                connection.cursor(row_factory=dict_row) as cursor,
            ):
                yield cursor
        except (psycopg.OperationalError, TimeoutError) as error:
            raise KnowledgeUnavailableError(
                "The knowledge database does not answer; check that Postgres runs and that its URL is right."
            ) from error


async def _announce(cursor: psycopg.AsyncCursor[DictRow], document_id: UUID | None) -> None:
    await cursor.execute(queries()["notify_changed"], {"document_id": str(document_id or "")})


def _vector(embedding: np.ndarray) -> str:
    return HalfVector(embedding).to_text()


def _chunk_row(document_id: UUID, chunk: Chunk, embedding: np.ndarray) -> dict[str, Any]:
    return {
        "document_id": document_id,
        "ordinal": chunk.ordinal,
        "section": chunk.section,
        "heading_path": list(chunk.heading_path),
        "text": chunk.text,
        "start": chunk.start,
        "end": chunk.end,
        "embedding": _vector(embedding),
    }
