"""BM25 over all chunks, in memory."""

from collections.abc import Mapping, Sequence

import bm25s
import numpy as np
import Stemmer

from knowledge.chunking import indexed_text
from knowledge.store import StoredChunk


class LexicalIndex:
    """An immutable BM25 index; building one takes seconds for 100,000 chunks, asking it a fraction of a millisecond."""

    def __init__(self, chunks: Sequence[StoredChunk]) -> None:
        self._ids = np.array([chunk.id for chunk in chunks], dtype=np.int64)
        self._positions = {chunk.id: position for position, chunk in enumerate(chunks)}
        self._stemmer = Stemmer.Stemmer("english")
        self._bm25 = bm25s.BM25()
        tokens = self._tokens([indexed_text(chunk.title, chunk.heading_path, chunk.text) for chunk in chunks])
        self._has_words = any(tokens)
        if self._has_words:
            self._bm25.index(tokens, show_progress=False)

    def __len__(self) -> int:
        return len(self._ids)

    def scores(self, weighted_texts: Sequence[tuple[float, str]]) -> "LexicalScores":
        """Return each chunk's BM25 score for the texts, a word counting as much as its text weighs."""
        total = np.zeros(len(self._ids), dtype=np.float32)
        if self._has_words:
            tokens = self._tokens([text for _, text in weighted_texts])
            for (weight, _), words in zip(weighted_texts, tokens, strict=True):
                if known := self._bm25.get_tokens_ids(words):
                    total += weight * self._bm25.get_scores_from_ids(known)
        return LexicalScores(self._ids, self._positions, total)

    def _tokens(self, texts: Sequence[str]) -> list[list[str]]:
        tokens = bm25s.tokenize(
            list(texts), stopwords="en", stemmer=self._stemmer, return_ids=False, show_progress=False
        )
        assert isinstance(tokens, list), "return_ids=False makes a list of word lists"
        return tokens


class LexicalScores:
    """The scores of one question."""

    def __init__(self, ids: np.ndarray, positions: Mapping[int, int], scores: np.ndarray) -> None:
        self._ids = ids
        self._positions = positions
        self._scores = scores

    def best(self, limit: int) -> list[int]:
        """Return the ids of at most `limit` chunks that share a word with the question, in no order."""
        positions = np.flatnonzero(self._scores)
        if len(positions) > limit:
            positions = positions[np.argpartition(self._scores[positions], -limit)[-limit:]]
        return self._ids[positions].tolist()

    def of(self, chunk_id: int) -> float:
        """Return a chunk's score; 0 for one that came after the index was built."""
        position = self._positions.get(chunk_id)
        return 0.0 if position is None else float(self._scores[position])
