"""Documents that tests write straight into the store, and what the tables then hold."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from psycopg_pool import AsyncConnectionPool

from knowledge.jobs import IndexRequest, Job
from knowledge.store import Store
from knowledge.types import Chunk, Document, LoadedDocument, Section
from knowledge.vectors import Model

TEXT = "Intro.\nFirst part. Second part.\nEnd of it."
CHUNKS = (
    Chunk(0, (), "Intro.", 0, 6, windows=((0, 6),)),
    Chunk(1, ("A",), "First part. Second part.", 7, 31, windows=((0, 11), (12, 24))),
    Chunk(2, ("B",), "End of it.", 32, 42, windows=((0, 10),)),
)
WINDOWS = ["Intro.", "First part.", "Second part.", "End of it."]
NEXT_YEAR = date.today() + timedelta(days=365)


def axes(*numbers: int) -> np.ndarray:
    return np.eye(384, dtype=np.float32)[list(numbers)]


async def put(
    store: Store,
    model: Model,
    *,
    source: str = "/a.md",
    collection: str = "default",
    title: str = "A",
    content_hash: str = "hash",
    chunks: tuple[Chunk, ...] = CHUNKS,
    **parameters: Any,
) -> UUID:
    embeddings = parameters.pop("embeddings", axes(*range(sum(len(each.windows) for each in chunks))))
    return await store.write_document(
        collection=collection,
        source=source,
        content_hash=content_hash,
        document=LoadedDocument(title, TEXT, (Section((), 0, len(TEXT)),), page_starts=(0, 7)),
        chunks=chunks,
        embeddings=embeddings,
        model=model,
        **dict[str, Any](access=None, effective_date=None) | parameters,
    )


async def counted(pool: AsyncConnectionPool[Any], *tables: str) -> list[int]:
    counts = []
    async with pool.connection() as connection:
        for table in tables:
            row = await (await connection.execute(f"select count(*) from {table}")).fetchone()  # pyright: ignore
            counts.append(row[0])
    return counts


async def marks(pool: AsyncConnectionPool[Any]) -> set[tuple[Any, ...]]:
    """What the vectors of all documents are marked with."""
    async with pool.connection() as connection:
        cursor = await connection.execute("select live, access, effective_date from vectors_1")
        return {(live, tuple(access), day) for live, access, day in await cursor.fetchall()}


async def titled(store: Store) -> dict[str, Document]:
    """Title → document."""
    return {each.title: each for each in await store.list_documents()}


async def texts(store: Store) -> list[str]:
    """The text of every window, in order."""
    documents = await store.list_documents()
    return sorted(each.text for each in await store.windows_of([document.id for document in documents]))


def of(docs: Path, **parameters: Any) -> IndexRequest:
    """The request to index a folder or file."""
    return IndexRequest(paths=(str(docs),), **parameters)


def reasons(job: Job) -> dict[str, str]:
    """Name of a file that failed → why."""
    return {Path(failure.source).name: failure.reason for failure in job.failures}
