"""Documents as an indexer leaves them: stored, embedded, and in the index of words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from knowledge.chunking import chunk, indexed_text
from knowledge.database import Database
from knowledge.embedders import Embedder
from knowledge.lexical_sync import LexicalSync
from knowledge.loaders import load
from knowledge.retriever import Retriever
from knowledge.store import DEFAULT_COLLECTION, Store
from knowledge.types import Passage
from knowledge.vectors import Model, VectorStore


@dataclass(frozen=True)
class Corpus:
    """Puts documents in without an indexer."""

    database: Database
    embedder: Embedder
    model: Model
    lexical_dir: Path

    @property
    def store(self) -> Store:
        """Where the documents are."""
        return Store(self.database)

    async def put(
        self,
        source: str,
        text: str,
        *,
        collection: str = DEFAULT_COLLECTION,
        access: Sequence[str] = (),
        effective_date: date | None = None,
    ) -> UUID:
        """Store a Markdown document; `sync` puts it into the index of words as well."""
        document = load(source, text.encode())
        chunks = chunk(document, token_spans=lambda text: [match.span() for match in re.finditer(r"\w+", text)])
        texts = [
            indexed_text(document.title, each.heading_path, each.text[start:end])
            for each in chunks
            for start, end in each.windows
        ]
        await self.store.make_collection(collection)
        return await self.store.write_document(
            collection=collection,
            source=source,
            content_hash=source,
            document=document,
            chunks=chunks,
            embeddings=await self.embedder.embed(texts),
            model=self.model,
            access=access,
            effective_date=effective_date,
        )

    async def sync(self) -> None:
        """Bring the index of words in line with what is stored."""
        await LexicalSync(database=self.database, folder=self.lexical_dir).catch_up()

    async def retriever(self, embedder: Embedder | None) -> Retriever:
        """A retriever that has read what there is; without an embedder, it has none for any model."""

        async def embedder_of(_model_id: str) -> Embedder | None:
            return embedder

        retriever = Retriever(
            store=self.store,
            vectors=VectorStore(self.database),
            embedder_of=embedder_of,
            lexical_dir=self.lexical_dir,
        )
        await retriever.refresh()
        return retriever


async def found(retriever: Retriever, question: str, **how: Any) -> tuple[Passage, ...]:
    """What is found, whatever the gate thinks of the question."""
    return (await retriever.search(question, gated=False, **how)).passages


def places(passages: Sequence[Passage]) -> list[tuple[str, ...]]:
    """Each passage's title and headings."""
    return [(passage.title, *passage.heading_path) for passage in passages]
