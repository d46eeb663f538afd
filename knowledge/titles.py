"""Which title a conversation is about, for collections of near-identical documents about different things."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from knowledge.terms import TERMS, Leg, words
from knowledge.types import Turn

# What a title shares with a turn, by words, letters and sounds.
_WEIGHTS: dict[Leg, float] = {"words": 0.4, "letters": 0.4, "sounds": 0.2}
_DECAY = 0.9

# The median cosine of a window to the nearest one under another title, and chunks a title, from which on titles
# decide. Collections of the kind lie at .74 to .81 and 17 to 18, others at most at .68 and 6.
_SIMILARITY = (0.68, 0.72)
_PER_TITLE = (6.0, 10.0)


def title_weight(*, similarity: float | None, per_title: float | None) -> float:
    """Return how much of a search goes by titles, 0 to 1, from the two measures of a collection."""
    if similarity is None or per_title is None:
        return 0.0
    return _ramp(similarity, *_SIMILARITY) * _ramp(per_title, *_PER_TITLE)


class TitleIndex:
    """Finds the titles that a conversation names, however misheard; immutable."""

    def __init__(self, titles: Mapping[str, Sequence[int]]) -> None:
        """Take each title with the ids of the chunks under it."""
        self._titles = list(titles)
        self._chunk_ids = [list(titles[title]) for title in self._titles]
        self._postings: dict[Leg, dict[str, np.ndarray]] = {}
        self._rarity: dict[Leg, dict[str, float]] = {}
        self._whole: dict[Leg, np.ndarray] = {}
        for leg in _WEIGHTS:
            holders: dict[str, list[int]] = defaultdict(list)
            for number, title in enumerate(self._titles):
                for term in set(TERMS[leg](words(title))):
                    holders[term].append(number)
            rarity = {term: math.log(1 + len(self._titles) / len(held)) for term, held in holders.items()}
            whole = np.full(len(self._titles), 1e-9)
            for term, held in holders.items():
                whole[held] += rarity[term]
            self._postings[leg] = {term: np.array(held) for term, held in holders.items()}
            self._rarity[leg] = rarity
            self._whole[leg] = whole

    def best(self, question: str, history: Sequence[Turn], *, limit: int) -> dict[int, float]:
        """Return chunk id → how far the conversation names its title, 0 to 1, for the chunks of the best titles.

        A title that is named once keeps counting, a tenth less a turn. `history` is oldest first.
        """
        if not self._titles:
            return {}
        texts = [question, *(turn.text for turn in reversed(history))]
        named = np.zeros(len(self._titles))
        for back, text in enumerate(texts):
            np.maximum(named, _DECAY**back * self._coverage(text), out=named)
        best = np.argsort(-named, kind="stable")[:limit]
        return {chunk_id: float(named[title]) for title in best for chunk_id in self._chunk_ids[title] if named[title]}

    def _coverage(self, text: str) -> np.ndarray:
        in_words = words(text)
        total = np.zeros(len(self._titles))
        for leg, weight in _WEIGHTS.items():
            shared = np.zeros(len(self._titles))
            for term in set(TERMS[leg](in_words)):
                if (held := self._postings[leg].get(term)) is not None:
                    shared[held] += self._rarity[leg][term]
            total += weight * shared / self._whole[leg]
        return total


def _ramp(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low)))
