"""Brings the store in line with files and folders."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from loguru import logger

from knowledge.chunking import TokenSpans, chunk, indexed_text
from knowledge.discovery import find
from knowledge.embedders import Embedder
from knowledge.embedders.minilm import load_tokenizer, token_spans
from knowledge.errors import DocumentError
from knowledge.loaders import load, title_of
from knowledge.store import Store
from knowledge.types import Chunk, LoadedDocument

# Part of every content hash. Raise it when files are read, cut or embedded another way: all are then indexed again.
_FORMAT = b"1"


@dataclass(frozen=True)
class DocumentFailure:
    """A document that could not be read, and why, in a sentence for the operator."""

    source: str
    reason: str


@dataclass(frozen=True)
class IngestProgress:
    """So many of so many files are done; `source` is the last one."""

    done: int
    total: int
    source: str


@dataclass(frozen=True)
class IngestReport:
    """How many documents were added, changed, unchanged or removed, and which failed."""

    added: int
    changed: int
    unchanged: int
    removed: int
    failed: tuple[DocumentFailure, ...]


async def ingest(
    paths: Iterable[Path],
    *,
    store: Store,
    embedder: Embedder,
    on_progress: Callable[[IngestProgress], None] | None = None,
    collection: str = "default",
) -> IngestReport:
    """Index files and folders, and forget the documents that were indexed from them and are gone.

    An unchanged file is skipped; one that cannot be read is reported and the others go on. Raises
    KnowledgeUnavailableError without a database.
    """
    await _use_model(store, embedder)
    found = await asyncio.to_thread(find, paths)
    known = await store.content_hashes(collection=collection)
    vanished = found.vanished(known)
    failed = [DocumentFailure(str(error.path), error.reason) for error in found.unreadable]
    failed += [
        DocumentFailure(str(path), "there is no such file or folder; check the path.")
        for path in found.missing
        if not any(Path(source).is_relative_to(path) for source in vanished)
    ]

    spans = partial(token_spans, await asyncio.to_thread(load_tokenizer))
    outcomes: Counter[str] = Counter()
    for done, path in enumerate(found.files, start=1):
        source = str(path)
        try:
            outcomes[await _index(path, known.get(source), store, embedder, spans, collection)] += 1
        except DocumentError as error:
            await store.record_failure(collection=collection, source=source, title=title_of(path), error=error.reason)
            failed.append(DocumentFailure(source, error.reason))
        if on_progress is not None:
            on_progress(IngestProgress(done, len(found.files), source))

    for source in vanished:
        await store.remove_document(collection=collection, source=source)
    report = IngestReport(outcomes["added"], outcomes["changed"], outcomes["unchanged"], len(vanished), tuple(failed))
    logger.info(
        "Indexed documents: {} added, {} changed, {} unchanged, {} removed, {} failed",
        report.added,
        report.changed,
        report.unchanged,
        report.removed,
        len(report.failed),
    )
    return report


async def _use_model(store: Store, embedder: Embedder) -> None:
    """Embed the stored chunks again when their vectors are of another model."""
    if await store.embedding_model() == embedder.model_id:
        return
    chunks = await store.all_chunks()
    embeddings = await embedder.embed([indexed_text(each.title, each.heading_path, each.text) for each in chunks])
    await store.replace_embeddings(
        model_id=embedder.model_id, chunk_ids=[each.id for each in chunks], embeddings=embeddings
    )


async def _index(
    path: Path, known_hash: str | None, store: Store, embedder: Embedder, spans: TokenSpans, collection: str
) -> str:
    """Index one file and return which count of the report it belongs to."""
    content, content_hash = await asyncio.to_thread(_read, path)
    if content_hash == known_hash:
        return "unchanged"
    document, chunks = await asyncio.to_thread(_cut, path, content, spans)
    embeddings = await embedder.embed([indexed_text(document.title, each.heading_path, each.text) for each in chunks])
    await store.upsert_document(
        collection=collection,
        source=str(path),
        title=document.title,
        content_hash=content_hash,
        text=document.text,
        chunks=chunks,
        embeddings=embeddings,
    )
    return "added" if known_hash is None else "changed"


def _read(path: Path) -> tuple[bytes, str]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DocumentError(path, "it cannot be opened; check that it is a file and its permissions.") from error
    return content, hashlib.sha256(_FORMAT + content).hexdigest()


def _cut(path: Path, content: bytes, spans: TokenSpans) -> tuple[LoadedDocument, tuple[Chunk, ...]]:
    document = load(path, content)
    return document, chunk(document, token_spans=spans)
