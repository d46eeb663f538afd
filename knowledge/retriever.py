"""Finds the passages that answer a question: nearest vectors and BM25, fused."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from knowledge.embedders import Embedder
from knowledge.errors import EmptyQuestionError, KnowledgeUnavailableError
from knowledge.lexical import LexicalIndex
from knowledge.ranking import DENSE_WEIGHT, LEXICAL_WEIGHT, dense_weights, fuse, lexical_weights, mix, recent
from knowledge.store import Store
from knowledge.types import Passage, Turn

# How many chunks either leg brings into the fusion.
CANDIDATES = 100
# A section up to this long is returned whole, about two chunks.
MAX_SECTION_CHARACTERS = 1_600
# A turn is asked about again as history by the turns that follow it, a passage's sentences by other questions.
_CACHED_VECTORS = 4_096


class Retriever:
    """Searches all indexed documents; `refresh` after they change."""

    def __init__(self, *, store: Store, embedder: Embedder) -> None:
        self._store = store
        self._embedder = embedder
        self._index: LexicalIndex | None = None
        self._vectors: OrderedDict[str, np.ndarray] = OrderedDict()

    @property
    def ready(self) -> bool:
        """Whether the documents have been loaded."""
        return self._index is not None

    async def refresh(self) -> None:
        """Load the documents as they stand now; searches meanwhile use what was loaded before.

        Raises KnowledgeUnavailableError when the stored vectors are of another model than the embedder's.
        """
        model_id = await self._store.embedding_model()
        if model_id not in (None, self._embedder.model_id):
            self._index = None
            raise KnowledgeUnavailableError(
                f"The documents are indexed with {model_id}, questions are embedded with {self._embedder.model_id}; "
                "index the documents again."
            )
        chunks = await self._store.all_chunks()
        self._index = await asyncio.to_thread(LexicalIndex, chunks)

    async def search(self, question: str, *, history: Sequence[Turn] = (), limit: int = 4) -> list[Passage]:
        """Return at most `limit` passages, best first; `history` is what was said before, oldest first.

        Raises EmptyQuestionError, and KnowledgeUnavailableError before the first refresh and without a database.
        """
        question = " ".join(question.split())
        if not question:
            raise EmptyQuestionError
        if self._index is None:
            raise KnowledgeUnavailableError("The documents are still being loaded; ask again in some seconds.")
        turns = recent(history)
        earlier = zip(lexical_weights(turns), (turn.text for turn in turns), strict=True)
        lexical = self._index.scores([(1.0, question), *earlier])
        similarities = await self._store.similarities(
            await self._vector(question, turns), limit=CANDIDATES, also=lexical.best(CANDIDATES)
        )
        words = {chunk_id: lexical.of(chunk_id) for chunk_id in similarities}
        fused = fuse([(DENSE_WEIGHT, similarities), (LEXICAL_WEIGHT, words)])
        # Chunks of one short section become one passage, so more are looked at than asked for.
        best = sorted(fused, key=fused.__getitem__, reverse=True)[: 3 * limit]
        found = {chunk_id: (fused[chunk_id], similarities[chunk_id]) for chunk_id in best}
        return (await self._store.passages(found, max_characters=MAX_SECTION_CHARACTERS))[:limit]

    async def similarity(self, question: str, sentences: Sequence[str]) -> list[float]:
        """Return the cosine of the question and each sentence; sentences asked about before cost nothing."""
        vectors = await self._embedded([question, *sentences])
        return [float(vectors[question] @ vectors[sentence]) for sentence in sentences]

    async def _vector(self, question: str, turns: Sequence[Turn]) -> np.ndarray:
        vectors = await self._embedded([question, *(turn.text for turn in turns)])
        if not turns:
            return vectors[question]
        return mix(vectors[question], np.stack([vectors[turn.text] for turn in turns]), dense_weights(turns))

    async def _embedded(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        vectors = {text: self._vectors[text] for text in texts if text in self._vectors}
        if missing := [text for text in dict.fromkeys(texts) if text not in vectors]:
            vectors.update(zip(missing, await self._embedder.embed(missing), strict=True))
        for text, vector in vectors.items():
            self._vectors[text] = vector
            self._vectors.move_to_end(text)
        while len(self._vectors) > _CACHED_VECTORS:
            self._vectors.popitem(last=False)
        return vectors
