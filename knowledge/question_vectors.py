"""Vectors of what was said, kept while they may be asked for again."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from loguru import logger

from knowledge.embedders import Embedder
from knowledge.errors import EmbeddingError

# A turn is asked about again as history by the turns that follow it, a passage's sentences by other questions.
_CACHED = 4_096


class QuestionVectors:
    """Embeds texts once, and never lets a slow embedder hold a call up."""

    def __init__(self, embedder: Embedder) -> None:
        self.embedder = embedder
        self._vectors: OrderedDict[str, np.ndarray] = OrderedDict()
        self._late: set[asyncio.Task[dict[str, np.ndarray]]] = set()

    async def get(self, texts: Sequence[str]) -> dict[str, np.ndarray] | None:
        """Return text → unit vector; None where the embedder fails or takes longer than its budget.

        What comes late is kept, so that the next turn has it.
        """
        found = {text: self._vectors[text] for text in texts if text in self._vectors}
        missing = [text for text in dict.fromkeys(texts) if text not in found]
        if missing:
            embedding = asyncio.create_task(self._embed(missing), name="embed")
            self._late.add(embedding)
            embedding.add_done_callback(self._ended)
            try:
                found |= await asyncio.wait_for(asyncio.shield(embedding), self.embedder.budget_secs)
            except (TimeoutError, EmbeddingError):
                return None
        self._vectors.update(found)
        for text in found:
            self._vectors.move_to_end(text)
        while len(self._vectors) > _CACHED:
            self._vectors.popitem(last=False)
        return found

    def _ended(self, embedding: asyncio.Task[dict[str, np.ndarray]]) -> None:
        self._late.discard(embedding)
        if not embedding.cancelled() and (error := embedding.exception()) is not None:
            logger.warning("A question could not be embedded: {}", type(error).__name__)

    async def _embed(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        vectors = dict(zip(texts, await self.embedder.embed(texts), strict=True))
        self._vectors.update(vectors)
        return vectors
