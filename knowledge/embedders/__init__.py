"""Texts in, vectors out."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np


class Embedder(Protocol):
    """Turns texts into vectors whose inner product is their cosine."""

    @property
    def model_id(self) -> str:
        """Names the model; vectors of two models cannot be compared."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        ...

    async def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return one unit vector a text, float32, shape (texts, dimensions)."""
        ...
