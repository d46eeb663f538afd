"""BM25 over words, letters and sounds: one Tantivy index a collection, on disk, updated in place.

One process writes, any number read: a reader sees what was committed when it last reloaded.
"""

import json
import math
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import cast
from uuid import UUID

import tantivy
from loguru import logger
from tantivy import Occur, Query

from knowledge.chunking import indexed_text
from knowledge.terms import TERMS, Leg, words
from knowledge.types import ChangedDocument, StoredWindow

# Raise it when texts are cut into terms in another way, or the fields change: the indexes are then made anew.
FORMAT = 2
_STATE = "state.json"
_HEAP_BYTES = 32 * 1024 * 1024
_EVERYONE = "*"
# What a window is marked with that not every search may find.
_RESTRICTED, _DATED = "restricted", "dated"
# Tantivy's BM25 has k1 = 1.2: a term that a short window repeats for ever counts k1 + 1 times its rarity.
_MOST_PER_TERM = 2.2
_SAFE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


@dataclass(frozen=True)
class IndexState:
    """What the indexes hold: all changes up to number `change` of the database of this id."""

    format: int
    database: str
    change: int


def read_state(folder: Path) -> IndexState | None:
    """Return what the indexes below `folder` hold; None where there are none, or nobody can tell."""
    try:
        return IndexState(**json.loads((folder / _STATE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


class LexicalWriter:
    """Keeps the indexes below a folder; all of its methods block."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def clear(self) -> None:
        """Remove all indexes."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in self._folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name == _STATE:
                path.unlink()

    def apply(
        self, documents: Sequence[ChangedDocument], windows: Sequence[StoredWindow], *, state: IndexState
    ) -> None:
        """Bring the indexes in line with these documents, whose windows are given, and remember the state."""
        by_document: dict[UUID, list[StoredWindow]] = {}
        for window in windows:
            by_document.setdefault(window.document_id, []).append(window)
        by_collection: dict[str, list[ChangedDocument]] = {}
        for document in documents:
            by_collection.setdefault(document.collection, []).append(document)
        for collection, changed in by_collection.items():
            writer = _open(_path(self._folder, collection)).writer(heap_size=_HEAP_BYTES, num_threads=1)
            for document in changed:
                writer.delete_documents_by_term("document", str(document.id))
                for window in by_document.get(document.id, ()) if document.live else ():
                    writer.add_document(_entry(document, window))
            writer.commit()
            writer.wait_merging_threads()
        temporary = self._folder / f"{_STATE}.new"
        temporary.write_text(json.dumps(asdict(state)), encoding="utf-8")
        temporary.replace(self._folder / _STATE)


class LexicalReader:
    """Searches the index of one collection; every method may run in a thread."""

    def __init__(self, folder: Path, *, collection: str) -> None:
        """Open the index as it is; one that is not there yet, or is of another format, is empty."""
        self._index = _opened(_path(folder, collection))
        self._schema = _schema()
        self._searcher = None if self._index is None else self._index.searcher()

    @property
    def windows(self) -> int:
        """How many windows the index holds."""
        return 0 if self._searcher is None else self._searcher.num_docs

    def search(
        self,
        leg: Leg,
        weighted_words: Iterable[tuple[float, Sequence[str]]],
        *,
        access: Sequence[str],
        today: date,
        limit: int,
    ) -> dict[int, float]:
        """Return chunk id → BM25 score of its best window, of at most `limit` windows; a word counts as its weight."""
        if self._searcher is None:
            return {}
        weights = _term_weights(leg, weighted_words)
        if not weights:
            return {}
        clauses = [
            (Occur.Should, Query.boost_query(Query.term_query(self._schema, leg, term, "freq"), weight))
            for term, weight in weights.items()
        ]
        query = Query.boolean_query([*clauses, *self._filters(access, today)])
        hits = self._searcher.search(query, limit, count=False).hits
        chunk_ids = cast("list[int]", self._searcher.fast_field_values("chunk", [address for _, address in hits]))
        best: dict[int, float] = {}
        for (score, _), chunk_id in zip(hits, chunk_ids, strict=True):
            if score > best.get(chunk_id, 0.0):
                best[chunk_id] = score
        return best

    def coverage(self, leg: Leg, weighted_words: Iterable[tuple[float, Sequence[str]]], *, best: float) -> float:
        """Return which share, 0 to 1, of the score that a window with all of the words could have `best` is."""
        if self._searcher is None:
            return 0.0
        held = self._searcher.num_docs
        most = sum(
            weight * _MOST_PER_TERM * math.log(1 + (held - count + 0.5) / (count + 0.5))
            for term, weight in _term_weights(leg, weighted_words).items()
            if (count := min(held, self._searcher.doc_freq(leg, term))) >= 0
        )
        return min(1.0, best / most) if most > 0 else 0.0

    def _filters(self, access: Sequence[str], today: date) -> list[tuple[Occur, Query]]:
        """Return what a window must fulfil; nothing where all of them do, since a filter costs time."""
        assert self._searcher is not None, "only a searcher is filtered"
        filters = []
        # Removed windows count until their segment is merged: a mark may be found in vain, and is never missed.
        if self._searcher.doc_freq("mark", _RESTRICTED):
            filters.append(Query.term_set_query(self._schema, "access", [_EVERYONE, *access]))
        if self._searcher.doc_freq("mark", _DATED):
            filters.append(
                Query.range_query(self._schema, "effective", tantivy.FieldType.Integer, 0, today.toordinal())
            )
        return [(Occur.Must, Query.const_score_query(each, 0.0)) for each in filters]


def _term_weights(leg: Leg, weighted_words: Iterable[tuple[float, Sequence[str]]]) -> dict[str, float]:
    weights: dict[str, float] = {}
    for weight, of_words in weighted_words:
        for term in TERMS[leg](of_words):
            weights[term] = weights.get(term, 0.0) + weight
    return weights


def _path(folder: Path, collection: str) -> Path:
    assert _SAFE_NAME.fullmatch(collection), "the database refuses other names"
    return folder / collection


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("chunk", fast=True)
    builder.add_integer_field("effective", indexed=True, fast=True)
    for name in ("document", "access", "mark"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for leg in TERMS:
        builder.add_text_field(leg, tokenizer_name="whitespace", index_option="freq")
    return builder.build()


def _open(path: Path) -> tantivy.Index:
    path.mkdir(parents=True, exist_ok=True)
    return tantivy.Index(_schema(), path=str(path))


def _opened(path: Path) -> tantivy.Index | None:
    """Return the index; None where there is none, or one that its writer is about to make anew."""
    try:
        return _open(path) if (path / "meta.json").exists() else None
    except (OSError, ValueError) as error:
        logger.warning("The index of words of {} cannot be read ({})", path.name, type(error).__name__)
        return None


def _entry(document: ChangedDocument, window: StoredWindow) -> tantivy.Document:
    in_words = words(indexed_text(document.title, window.heading_path, window.text))
    entry = tantivy.Document()
    entry.add_integer("chunk", window.chunk_id)
    entry.add_text("document", str(document.id))
    for label in document.access or (_EVERYONE,):
        entry.add_text("access", label)
    if document.access:
        entry.add_text("mark", _RESTRICTED)
    if document.effective_date is not None:
        entry.add_text("mark", _DATED)
    entry.add_integer("effective", 0 if document.effective_date is None else document.effective_date.toordinal())
    for leg, terms in TERMS.items():
        entry.add_text(leg, " ".join(terms(in_words)))
    return entry
