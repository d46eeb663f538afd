"""Carries out an indexing job: each document is read, cut, embedded and stored, whatever becomes of the others."""

import asyncio
import hashlib
import json
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from loguru import logger

from knowledge.chunking import TokenSpans, chunk, indexed_text
from knowledge.embedders import Embedder
from knowledge.errors import DocumentError, EmbeddingError, KnowledgeUnavailableError
from knowledge.expansion import Expansion
from knowledge.fetching.fetcher import Fetcher
from knowledge.jobs import IndexRequest, Item, JobStore, NewItem
from knowledge.loaders import MAX_BINARY_BYTES, title_of
from knowledge.loaders.reader import DocumentReader
from knowledge.statistics import recount
from knowledge.store import ItemEnd, Known, Store
from knowledge.types import Chunk, LoadedDocument
from knowledge.vectors import Model, VectorStore

# Part of every content hash. Raise it when files are read, cut or embedded another way: all are then indexed again.
_FORMAT = b"2"


@dataclass(frozen=True)
class Ingest:
    """What indexing a document takes; `model` names the vectors that `embedder` makes."""

    store: Store
    vectors: VectorStore
    jobs: JobStore
    embedder: Embedder
    model: Model
    reader: DocumentReader
    fetcher: Fetcher
    token_spans: TokenSpans

    async def run(self, job_id: UUID) -> None:
        """Do what is left of a job; a job that is done already, or gone, is passed over.

        Raises KnowledgeUnavailableError and EmbeddingError; the job then goes on from the same document when it is run
        again.
        """
        started = await self.jobs.start(job_id)
        if started is None:
            return
        request, is_expanded = started
        if not is_expanded:
            items = await Expansion(store=self.store, fetcher=self.fetcher).items(request)
            await self.jobs.expand(job_id, items)
            await self._show_new(request, items)
        work = _Work(
            self,
            job_id,
            request,
            known=await self.store.known(collection=request.collection),
            vanished=await self.jobs.vanished(job_id),
        )
        while (item := await self.jobs.next_item(job_id)) is not None:
            await work.do(item)
        await recount(request.collection, store=self.store, vectors=self.vectors)
        await self.jobs.end(job_id)
        logger.info("Indexing job {} ended", job_id)

    async def _show_new(self, request: IndexRequest, items: list[NewItem]) -> None:
        known = await self.store.known(collection=request.collection)
        sources = dict.fromkeys(
            item.source
            for item in items
            if item.reason is None and item.kind != "vanished" and item.source not in known
        )
        titled = [(source, title_of(source)) for source in sources]
        await self.store.begin_documents(collection=request.collection, sources=titled)


@dataclass(frozen=True)
class _Work:
    """The items of one job, one after the other.

    `known` is what the store knew when the job began or went on, `vanished` are the sources still to be removed.
    """

    ingest: Ingest
    job_id: UUID
    request: IndexRequest
    known: dict[str, Known]
    vanished: set[str]

    async def do(self, item: Item) -> None:
        """Index, move or remove one document and note how it ended, in one transaction."""
        store, collection = self.ingest.store, self.request.collection
        if item.kind == "vanished":
            await store.remove_source(collection=collection, source=item.source, also=self._end(item, "removed"))
            return
        try:
            await self._index(item)
        except DocumentError as error:
            await self._fail(item, error.reason)
        except (KnowledgeUnavailableError, EmbeddingError):
            raise
        except Exception as error:
            logger.error("Job {}: document {} failed: {}", self.job_id, item.ordinal, type(error).__name__)
            await self._fail(item, f"it could not be indexed ({type(error).__name__}); the log has more.")

    async def _index(self, item: Item) -> None:
        store, collection = self.ingest.store, self.request.collection
        content, content_type = await self._content(item)
        content_hash = _hash(content, item.details)
        known = self.known.get(item.source)
        if known is not None and known.content_hash == content_hash:
            await store.settle_document(
                collection=collection,
                source=item.source,
                closes_gap=item.closes_gap,
                also=self._end(item, "unchanged"),
            )
            return
        is_new = known is None or not known.content_hash
        if is_new and (old := await self._moved_from(item.source, content_hash)) is not None:
            moved = self._end(item, "moved")
            await store.move_document(collection=collection, source=old, new_source=item.source, also=moved)
            await self.ingest.jobs.end_removal(self.job_id, source=old, state="moved")
            self.vanished.discard(old)
            return
        document, chunks = await self._cut(item, content, content_type)
        texts = [
            indexed_text(document.title, each.heading_path, each.text[start:end])
            for each in chunks
            for start, end in each.windows
        ]
        embeddings = await self.ingest.embedder.embed(texts)
        access = item.details.get("access")
        await store.write_document(
            collection=collection,
            source=item.source,
            origin=item.details.get("origin"),
            closes_gap=item.closes_gap,
            content_hash=content_hash,
            document=document,
            chunks=chunks,
            embeddings=embeddings,
            model=self.ingest.model,
            access=None if access is None else tuple(access),
            effective_date=document.effective_date,
            is_date_given=item.details.get("effective_date") is not None,
            also=self._end(item, "added" if is_new else "changed"),
        )
        # Two items of one job may have the same source: two uploads of one name.
        self.known[item.source] = Known(content_hash, "ready")

    async def _content(self, item: Item) -> tuple[bytes, str | None]:
        content_type = item.details.get("content_type")
        if item.content is not None:
            return item.content, content_type
        if item.kind == "url":
            fetched = await self.ingest.fetcher.fetch(item.source)
            return fetched.content, fetched.content_type
        return await asyncio.to_thread(_read, Path(item.source)), content_type

    async def _moved_from(self, source: str, content_hash: str) -> str | None:
        """Return the vanished source that this one was, if its title does not come from its name."""
        if not self.vanished:
            return None
        same = await self.ingest.store.with_content(collection=self.request.collection, content_hash=content_hash)
        return next(
            (
                old
                for old, title in same
                if old in self.vanished and (title != title_of(old) or title_of(source) == title_of(old))
            ),
            None,
        )

    async def _cut(
        self, item: Item, content: bytes, content_type: str | None
    ) -> tuple[LoadedDocument, tuple[Chunk, ...]]:
        document = await self.ingest.reader.read(item.source, content, content_type=content_type)
        title, day = item.details.get("title"), item.details.get("effective_date")
        document = replace(
            document,
            title=title or document.title,
            effective_date=document.effective_date if day is None else date.fromisoformat(day),
        )
        return document, await asyncio.to_thread(chunk, document, token_spans=self.ingest.token_spans)

    async def _fail(self, item: Item, reason: str) -> None:
        await self.ingest.store.fail_document(
            collection=self.request.collection,
            source=item.source,
            title=item.details.get("title") or title_of(item.source),
            error=reason,
            also=self._end(item, "failed", reason),
        )

    def _end(self, item: Item, state: str, reason: str | None = None) -> ItemEnd:
        return ItemEnd(self.job_id, item.ordinal, state, reason)


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise DocumentError(str(path), "it is not a file; check the path.")
        if path.stat().st_size > MAX_BINARY_BYTES:
            raise DocumentError(
                str(path), f"it is larger than {MAX_BINARY_BYTES // 1024**2} MB; split it into several files."
            )
        return path.read_bytes()
    except OSError as error:
        raise DocumentError(str(path), "it cannot be opened; check that it is a file and its permissions.") from error


def _hash(content: bytes, details: dict[str, Any]) -> str:
    """Return what tells this content, as it is to be shown, from any other."""
    shown = json.dumps([details.get(name) for name in ("title", "effective_date", "access", "closes_gap")]).encode()
    return hashlib.sha256(b"\0".join((_FORMAT, shown, content))).hexdigest()
