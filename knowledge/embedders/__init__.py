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

    @property
    def budget_secs(self) -> float | None:
        """How long a question may take to embed; then its words must do. None where it never waits on a network."""
        ...

    async def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return one unit vector a text, float32, shape (texts, dimensions); raises EmbeddingError."""
        ...

    async def aclose(self) -> None:
        """Let go of what it holds."""
        ...
