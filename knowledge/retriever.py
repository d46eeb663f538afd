"""Finds the passages that answer a question: nearest vectors, words, letters and sounds, and titles, fused."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np

from knowledge.embedders import Embedder
from knowledge.errors import EmbeddingError, EmptyQuestionError, KnowledgeUnavailableError, NoSuchCollectionError
from knowledge.gate import PROTOTYPES, Evidence, Gate
from knowledge.lexical import LexicalReader
from knowledge.question_vectors import QuestionVectors
from knowledge.ranking import (
    FIRST_WEIGHTS,
    FOLLOW_UP_WEIGHTS,
    dense_weights,
    first_words,
    fuse,
    lexical_weights,
    mix,
    parts,
    recent,
    shortened,
)
from knowledge.store import Store
from knowledge.terms import Leg, telling_words
from knowledge.titles import TitleIndex
from knowledge.types import Passage, SearchResult, Turn, Verdict
from knowledge.vectors import NEAREST, Model, VectorStore

# How many windows a lexical leg brings into the fusion, as many as the nearest vectors.
CANDIDATES = NEAREST
# How many titles bring their chunks into it, where a collection goes by titles.
TITLES = 5
# How many more passages than asked for are fetched, as some may be gone by then.
SPARE = 4
# How long the gate's sentences may take to embed, once.
GATE_SECS = 10.0


@dataclass(frozen=True)
class _Searchable:
    """A collection as it was when it was loaded last."""

    lexical: LexicalReader
    titles: TitleIndex
    title_weight: float


@dataclass(frozen=True)
class _Dense:
    """The question's own vector, that with the conversation in it, and the cosines of the nearest chunks."""

    vector: np.ndarray
    mixed: np.ndarray
    cosines: dict[int, float]


@dataclass(frozen=True)
class _Lexical:
    """The legs' BM25 scores, how much of the words the best window holds, and the titles that were named."""

    legs: dict[Leg, dict[int, float]]
    coverage: float
    titles: dict[int, float]


class Retriever:
    """Searches the collections; `refresh` after one changed."""

    def __init__(
        self,
        *,
        store: Store,
        vectors: VectorStore,
        embedder_of: Callable[[str], Awaitable[Embedder | None]],
        lexical_dir: Path,
    ) -> None:
        """Take what gives the embedder of a model's id; where it gives none, searches go by words alone."""
        self._store = store
        self._vectors = vectors
        self._embedder_of = embedder_of
        self._lexical_dir = lexical_dir
        self._collections: dict[str, _Searchable] = {}
        self._is_loaded = False
        self._model: Model | None = None
        self._questions: QuestionVectors | None = None
        self._gate: Gate | None = None

    @property
    def ready(self) -> bool:
        """Whether the collections are loaded."""
        return self._is_loaded

    async def refresh(self, collection: str | None = None) -> None:
        """Load a collection, or all, as they stand now; searches meanwhile use what was loaded before."""
        await self.use_current_model()
        stored = await self._store.collections()
        for name in set(self._collections) - set(stored):
            del self._collections[name]
        for name in (name for name in stored if collection in (None, name)):
            weight = stored[name].title_weight
            titles = await self._store.titles(collection=name) if weight else {}
            self._collections[name] = await asyncio.to_thread(self._load, name, titles, weight)
        self._is_loaded = self._is_loaded or collection is None

    async def use_current_model(self) -> None:
        """Take the embedder that the stored vectors are of; one that was not there is tried again."""
        model = await self._vectors.current()
        if model is None or (self._model is not None and model.no == self._model.no and self._gate is not None):
            return
        embedder = await self._embedder_of(model.model_id)
        gate = None if embedder is None else await _gate_of(embedder)
        self._questions = None if embedder is None else QuestionVectors(embedder)
        self._model, self._gate = model, gate

    async def search(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        limit: int = 4,
        collection: str = "default",
        access: Sequence[str] = (),
        gated: bool = True,
        explain: bool = False,
    ) -> SearchResult:
        """Return at most `limit` passages, best first; `history` is what was said before, oldest first.

        `access` are the labels that the caller holds. With `gated`, small talk and what is off topic finds nothing.
        Raises EmptyQuestionError, NoSuchCollectionError, and KnowledgeUnavailableError before the first `refresh` and
        without a database.
        """
        question = " ".join(question.split())
        if not question:
            raise EmptyQuestionError
        searchable = self._searchable(collection)
        turns = recent(history)
        dense, lexical = await asyncio.gather(
            self._by_meaning(question, turns, searchable, collection, access),
            asyncio.to_thread(self._by_words, question, turns, history, searchable, access),
        )
        if gated and (verdict := self._verdict(question, turns, dense, lexical)) is not Verdict.FOUND:
            return SearchResult(verdict)
        cosines = {} if dense is None else dense.cosines
        if unseen := [chunk_id for chunk_id in lexical.titles if chunk_id not in cosines]:
            cosines = cosines | await self._similarities(dense, unseen)
        fused = fuse(
            cosines,
            lexical.legs,
            lexical.titles,
            weights=_weights(turns),
            title_weight=searchable.title_weight,
        )
        ranked = sorted(fused, key=lambda chunk_id: (-fused[chunk_id], chunk_id))
        found: list[Passage] = []
        # A title brings its chunks whoever asks, and any may be gone by now: those are passed over.
        while ranked and len(found) < limit:
            best, ranked = ranked[: limit + SPARE], ranked[limit + SPARE :]
            passages, others = await asyncio.gather(
                self._store.passages(best, collection=collection, access=access),
                self._similarities(dense, [chunk_id for chunk_id in best if chunk_id not in cosines]),
            )
            found += [
                replace(
                    passages[chunk_id],
                    score=fused[chunk_id],
                    similarity=cosines.get(chunk_id, others.get(chunk_id)),
                    legs=parts(chunk_id, cosines, lexical.legs, lexical.titles) if explain else None,
                )
                for chunk_id in best
                if chunk_id in passages
            ]
        return SearchResult(Verdict.FOUND if found else Verdict.OFF_TOPIC, tuple(found[:limit]))

    async def similarity(self, question: str, sentences: Sequence[str]) -> list[float]:
        """Return the cosine of the question and each sentence; sentences asked about before cost nothing.

        Raises KnowledgeUnavailableError where they cannot be embedded in time.
        """
        vectors = None if self._questions is None else await self._questions.get([question, *sentences])
        if vectors is None:
            raise KnowledgeUnavailableError("The sentences could not be compared in time; compare their words.")
        return [float(vectors[question] @ vectors[sentence]) for sentence in sentences]

    async def vector(self, text: str) -> tuple[str, np.ndarray] | None:
        """Return the current model's id and the text's vector; None where it cannot be embedded in time."""
        vectors = None if self._questions is None else await self._questions.get([text])
        if vectors is None or self._model is None:
            return None
        return self._model.model_id, vectors[text]

    def _searchable(self, collection: str) -> _Searchable:
        if not self._is_loaded:
            raise KnowledgeUnavailableError("The documents are still being loaded; ask again in a moment.")
        searchable = self._collections.get(collection)
        if searchable is None:
            raise NoSuchCollectionError(collection, sorted(self._collections))
        return searchable

    def _load(self, collection: str, titles: dict[str, list[int]], weight: float) -> _Searchable:
        return _Searchable(LexicalReader(self._lexical_dir, collection=collection), TitleIndex(titles), weight)

    async def _by_meaning(
        self, question: str, turns: Sequence[Turn], searchable: _Searchable, collection: str, access: Sequence[str]
    ) -> _Dense | None:
        if self._questions is None or self._model is None:
            return None
        vectors = await self._questions.get([question, *(turn.text for turn in turns)])
        if vectors is None:
            return None
        mixed = vectors[question]
        if turns:
            mixed = mix(mixed, np.stack([vectors[turn.text] for turn in turns]), dense_weights(turns))
        nearest = await self._vectors.nearest(
            self._model,
            mixed,
            collection=collection,
            access=access,
            there=searchable.lexical.windows,
        )
        cosines: dict[int, float] = {}
        for chunk_id, cosine in nearest:
            cosines.setdefault(chunk_id, cosine)
        return _Dense(vectors[question], mixed, cosines)

    def _by_words(
        self,
        question: str,
        turns: Sequence[Turn],
        history: Sequence[Turn],
        searchable: _Searchable,
        access: Sequence[str],
    ) -> _Lexical:
        earlier = zip(lexical_weights(turns), (telling_words(first_words(turn.text)) for turn in turns), strict=True)
        weighted = [(1.0, telling_words(question)), *earlier]
        today = date.today()
        legs: dict[Leg, dict[int, float]] = {
            leg: searchable.lexical.search(leg, weighted, access=access, today=today, limit=CANDIDATES)
            for leg in _weights(turns)
        }
        best = max(legs["words"].values(), default=0.0)
        titles = searchable.titles.best(question, shortened(history), limit=TITLES) if searchable.title_weight else {}
        return _Lexical(legs, searchable.lexical.coverage("words", weighted, best=best), titles)

    def _verdict(self, question: str, turns: Sequence[Turn], dense: _Dense | None, lexical: _Lexical) -> Verdict:
        if self._gate is None:
            return Verdict.FOUND
        return self._gate.verdict(
            Evidence(
                question=question,
                vector=None if dense is None else dense.vector,
                has_history=bool(turns),
                top_similarity=None if dense is None else max(dense.cosines.values(), default=0.0),
                word_coverage=lexical.coverage,
            )
        )

    async def _similarities(self, dense: _Dense | None, chunk_ids: Sequence[int]) -> dict[int, float]:
        if dense is None or self._model is None or not chunk_ids:
            return {}
        return await self._vectors.similarities(self._model, dense.mixed, chunk_ids)


async def _gate_of(embedder: Embedder) -> Gate | None:
    """Return the gate for this embedder's vectors; None where it fails now, and searches are then not gated."""
    try:
        async with asyncio.timeout(GATE_SECS):
            return Gate(prototypes=await embedder.embed(PROTOTYPES))
    except (EmbeddingError, TimeoutError):
        return None


def _weights(turns: Sequence[Turn]) -> dict[Leg, float]:
    return FOLLOW_UP_WEIGHTS if turns else FIRST_WEIGHTS
