"""Documents, their chunks and windows in Postgres."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import numpy as np

from knowledge.database import BULK_TIMEOUT_SECS, Database, Statements
from knowledge.errors import KnowledgeError
from knowledge.types import ChangedDocument, Chunk, Document, LoadedDocument, Passage, StoredWindow, page_of
from knowledge.vectors import Model, WindowToEmbed, mark, vector_row

DEFAULT_COLLECTION = "default"
KEPT_REMOVALS_DAYS = 90
# It is also what the index of words is called on disk.
_COLLECTION_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


@dataclass(frozen=True)
class Collection:
    """A set of documents that is searched as one.

    `title_weight` is how much of a search goes by titles, 0 to 1, decided from the two measures beside it: the median
    cosine of a window to the nearest one under another title, and chunks a title. They are None before the first job.
    """

    name: str
    title_weight: float
    title_similarity: float | None
    chunks_per_title: float | None


@dataclass(frozen=True)
class Known:
    """What the store knows of a source: the hash of the content that was read last, and the document's status."""

    content_hash: str
    status: str


class Store:
    """Reads and writes documents; every write is one transaction and announces itself.

    Every method raises KnowledgeUnavailableError when the database does not answer in time.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def make_collection(self, name: str) -> None:
        """Create the collection where it is not there yet; raises KnowledgeError when it cannot be called so."""
        if not _COLLECTION_NAME.fullmatch(name):
            raise KnowledgeError(
                f"A collection cannot be called {name!r}; its name has 1 to 63 lower-case letters, digits, - and _, "
                "and begins with a letter or digit."
            )
        if name in await self.collections():
            return
        # Its partitions lock the tables that a document is written to, in another order.
        async with self._database.writing() as statements:
            await statements.run("lock_schema")
            if await statements.run("make_collection", name=name):
                await statements.run("make_partitions_of", name=name)

    async def collections(self) -> dict[str, Collection]:
        """Return the collections by name."""
        return {row["name"]: Collection(**row) for row in await self._database.read("collections")}

    async def set_title_weight(
        self, *, collection: str, title_weight: float, title_similarity: float | None, chunks_per_title: float | None
    ) -> None:
        """Store how much of a search goes by titles, and what that was decided from."""
        async with self._database.transaction() as statements:
            await statements.run(
                "set_title_weight",
                collection=collection,
                title_weight=title_weight,
                title_similarity=title_similarity,
                chunks_per_title=chunks_per_title,
            )
            await statements.run("notify_searchable", collection=collection)

    async def begin_documents(self, *, collection: str, sources: Sequence[tuple[str, str]]) -> None:
        """Show documents, each (source, title), as being indexed; what they said before still answers."""
        rows = [{"collection": collection, "source": source, "title": title} for source, title in sources]
        async with self._database.writing() as statements:
            await statements.run_many("begin_document", rows)

    async def write_document(
        self,
        *,
        collection: str,
        source: str,
        content_hash: str,
        document: LoadedDocument,
        chunks: Sequence[Chunk],
        embeddings: np.ndarray,
        model: Model,
        access: Sequence[str] | None,
        effective_date: date | None,
        is_date_given: bool = False,
        origin: str | None = None,
        closes_gap: UUID | None = None,
        also: "ItemEnd | None" = None,
    ) -> UUID:
        """Store a document in place of what stood under its source, with one embedding a window, in reading order.

        `access` None keeps the labels it has; a date that an operator gave gives way only to another. `origin` is the
        sitemap that led to it. The gap that it answers is closed, and `also` ends the item of a job, in the same
        transaction.
        """
        async with self._database.writing() as statements:
            (row,) = await statements.run(
                "upsert_document",
                collection=collection,
                source=source,
                origin=origin,
                title=document.title,
                content_hash=content_hash,
                text=document.text,
                page_starts=list(document.page_starts),
                effective_date=effective_date,
                is_date_given=is_date_given,
                access=None if access is None else list(access),
            )
            document_id = row["id"]
            await statements.run("delete_chunks", document_id=document_id)
            chunk_ids = await statements.insert_many(
                "insert_chunk", [_chunk_row(document_id, chunk, document.page_starts) for chunk in chunks]
            )
            spans = [
                {"chunk_id": chunk_id, "start": start, "end": end}
                for chunk_id, chunk in zip(chunk_ids, chunks, strict=True)
                for start, end in chunk.windows
            ]
            window_ids = await statements.insert_many("insert_window", spans)
            vectors = [
                vector_row(
                    WindowToEmbed(
                        window_id=window_id,
                        chunk_id=span["chunk_id"],
                        document_id=document_id,
                        collection=collection,
                        title=document.title,
                        heading_path=[],
                        text="",
                        live=row["live"],
                        access=row["access"],
                        effective_date=row["effective_date"],
                    ),
                    embedding,
                )
                for window_id, span, embedding in zip(window_ids, spans, embeddings, strict=True)
            ]
            await statements.run_many("insert_vector", vectors, vectors=model.table)
            if closes_gap is not None:
                await statements.run("close_gap", gap_id=closes_gap, document_id=document_id)
            await _end(statements, also)
            await statements.run("notify_changed", collection=collection)
        return document_id

    async def fail_document(
        self, *, collection: str, source: str, title: str, error: str, also: "ItemEnd | None" = None
    ) -> None:
        """Store that a document cannot be read; what it said before still answers."""
        async with self._database.writing() as statements:
            await statements.run("fail_document", collection=collection, source=source, title=title, error=error)
            await _end(statements, also)

    async def settle_document(
        self, *, collection: str, source: str, closes_gap: UUID | None = None, also: "ItemEnd | None" = None
    ) -> None:
        """Store that a document is as it was when it was read last; the gap that it answers is closed."""
        async with self._database.transaction() as statements:
            await statements.run("settle_document", collection=collection, source=source)
            if closes_gap is not None:
                for row in await statements.run("document_id", collection=collection, source=source):
                    await statements.run("close_gap", gap_id=closes_gap, document_id=row["id"])
            await _end(statements, also)

    async def move_document(
        self, *, collection: str, source: str, new_source: str, also: "ItemEnd | None" = None
    ) -> None:
        """Give a document another source; it keeps its id, its chunks and its vectors."""
        async with self._database.writing() as statements:
            await statements.run("delete_placeholder", collection=collection, source=new_source)
            await statements.run("move_document", collection=collection, source=source, new_source=new_source)
            await _end(statements, also)
            await statements.run("notify_changed", collection=collection)

    async def remove_document(self, document_id: UUID) -> bool:
        """Remove a document from the store and from every index; False when there is none."""
        async with self._database.writing() as statements:
            removed = await statements.run("delete_document", document_id=document_id)
            for row in removed:
                await statements.run("notify_changed", collection=row["collection"])
        return bool(removed)

    async def remove_source(self, *, collection: str, source: str, also: "ItemEnd | None" = None) -> bool:
        """Remove the document under this source, as `remove_document` does."""
        async with self._database.writing() as statements:
            rows = await statements.run("document_id", collection=collection, source=source)
            for row in rows:
                await statements.run("delete_document", document_id=row["id"])
                await statements.run("notify_changed", collection=collection)
            await _end(statements, also)
        return bool(rows)

    async def change_document(
        self,
        document_id: UUID,
        *,
        retired: bool | None = None,
        access: Sequence[str] | None = None,
        effective_date: date | None = None,
        set_date: bool = False,
    ) -> bool:
        """Retire or restore a document, or change who may see it or from when it holds; False when there is none.

        None leaves a thing as it is; `set_date` says that `effective_date` is meant, even where it is None.
        """
        async with self._database.writing() as statements:
            tables = [Model(**row).table for row in await statements.run("models")]
            rows = await statements.run(
                "change_document",
                document_id=document_id,
                retired=retired,
                access=None if access is None else list(access),
                effective_date=effective_date,
                set_date=set_date,
            )
            for row in rows:
                collection = row.pop("collection")
                await mark(statements, tables, document_id=document_id, **row)
                await statements.run("notify_changed", collection=collection)
        return bool(rows)

    async def list_documents(
        self,
        *,
        collection: str | None = None,
        status: str | None = None,
        after: str | None = None,
        limit: int = 1_000_000,
    ) -> list[Document]:
        """Return documents by source, of all collections where none is named, from behind the source `after` on."""
        rows = await self._database.read(
            "list_documents",
            collection=collection,
            status=status,
            after=after,
            limit=limit,
            timeout_secs=BULK_TIMEOUT_SECS,
        )
        return [_document(row) for row in rows]

    async def get_document(self, document_id: UUID) -> Document | None:
        """Return a document; None when there is none."""
        rows = await self._database.read("get_document", document_id=document_id)
        return _document(rows[0]) if rows else None

    async def document_text(self, document_id: UUID) -> str | None:
        """Return a document's text, which spans count in; None when there is no such document."""
        rows = await self._database.read("document_text", document_id=document_id)
        return rows[0]["text"] if rows else None

    async def known(self, *, collection: str) -> dict[str, Known]:
        """Return what is known of each source of the collection."""
        rows = await self._database.read("content_hashes", collection=collection, timeout_secs=BULK_TIMEOUT_SECS)
        return {row["source"]: Known(row["content_hash"], row["status"]) for row in rows}

    async def sources_of(self, *, collection: str, origin: str) -> set[str]:
        """Return the sources that this sitemap has led to."""
        rows = await self._database.read("sources_of", collection=collection, origin=origin)
        return {row["source"] for row in rows}

    async def with_content(self, *, collection: str, content_hash: str) -> list[tuple[str, str]]:
        """Return (source, title) of the documents that have this content."""
        rows = await self._database.read("find_by_hash", collection=collection, content_hash=content_hash)
        return [(row["source"], row["title"]) for row in rows]

    async def all_texts(self, *, max_characters: int) -> list[str]:
        """Return each document's title and each document's text, whose headings are lines of it.

        Of more than so many characters, those are returned that were indexed last.
        """
        rows = await self._database.read("all_texts", max_characters=max_characters, timeout_secs=BULK_TIMEOUT_SECS)
        return [text for row in rows for text in (row["title"], row["text"])]

    async def count(self) -> tuple[int, int]:
        """Return how many documents answer and how many chunks they have."""
        (row,) = await self._database.read("count")
        return row["documents"], row["chunks"]

    async def database_id(self) -> str:
        """Return what tells this database from any other."""
        (row,) = await self._database.read("database_id")
        return row["value"]

    async def forget_removals(self) -> None:
        """Forget which documents were removed a quarter of a year ago; every index knows by then."""
        await self._database.read("forget_removals", days=KEPT_REMOVALS_DAYS)

    async def changes(self, *, after: int, limit: int) -> list[ChangedDocument]:
        """Return documents that changed after the change of this number, in the order of changes."""
        rows = await self._database.read("changed_documents", after=after, limit=limit, timeout_secs=BULK_TIMEOUT_SECS)
        return [ChangedDocument(**dict(row, access=tuple(row["access"]))) for row in rows]

    async def windows_of(self, document_ids: Sequence[UUID]) -> list[StoredWindow]:
        """Return the windows of these documents."""
        rows = await self._database.read("windows_of", document_ids=list(document_ids), timeout_secs=BULK_TIMEOUT_SECS)
        return [StoredWindow(**dict(row, heading_path=tuple(row["heading_path"]))) for row in rows]

    async def titles(self, *, collection: str) -> dict[str, list[int]]:
        """Return title → ids of the chunks under it."""
        titles: dict[str, list[int]] = {}
        for row in await self._database.read("titles", collection=collection, timeout_secs=BULK_TIMEOUT_SECS):
            titles.setdefault(row["title"], []).append(row["chunk_id"])
        return titles

    async def passages(
        self,
        chunk_ids: Sequence[int],
        *,
        collection: str,
        access: Sequence[str],
    ) -> dict[int, Passage]:
        """Return chunk id → passage, of those chunks that may be seen, without score and similarity."""
        rows = await self._database.read(
            "passages", chunk_ids=list(chunk_ids), collection=collection, access=list(access)
        )
        return {
            row.pop("chunk_id"): Passage(
                **dict(row, heading_path=tuple(row["heading_path"]), score=0.0, similarity=None)
            )
            for row in rows
        }


@dataclass(frozen=True)
class ItemEnd:
    """How an item of an indexing job ended; stored together with what it did."""

    job_id: UUID
    ordinal: int
    state: str
    reason: str | None = None


async def _end(statements: Statements, end: ItemEnd | None) -> None:
    if end is not None:
        await statements.run("end_item", job_id=end.job_id, ordinal=end.ordinal, state=end.state, reason=end.reason)


def _chunk_row(document_id: UUID, chunk: Chunk, page_starts: Sequence[int]) -> dict[str, Any]:
    return {
        "document_id": document_id,
        "ordinal": chunk.ordinal,
        "heading_path": list(chunk.heading_path),
        "text": chunk.text,
        "start": chunk.start,
        "end": chunk.end,
        "page": page_of(chunk.start, page_starts),
    }


def _document(row: dict[str, Any]) -> Document:
    return Document(**dict(row, access=tuple(row["access"])))
