"""An embedder without a model, for tests."""

import re
import zlib
from collections.abc import Sequence

import numpy as np

from knowledge.embedders.minilm import DIMENSIONS


class FakeEmbedder:
    """Texts that share words get vectors that are near each other; `embedded` lists what was asked for."""

    dimensions = DIMENSIONS
    budget_secs = None

    def __init__(self, *, model_id: str = "fake") -> None:
        self.model_id = model_id
        self.embedded: list[str] = []

    async def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return one unit vector a text; raises ValueError for a text without words."""
        self.embedded.extend(texts)
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            words = re.findall(r"\w+", text.lower())
            if not words:
                raise ValueError("FakeEmbedder was asked for a text without words")
            for word in words:
                vector[zlib.crc32(word.encode()) % self.dimensions] += 1
            vector /= np.linalg.norm(vector)
        return vectors

    async def aclose(self) -> None:
        """Nothing is held."""
