"""OpenAI's embeddings, or those of a server that speaks the same."""

import asyncio
from collections.abc import Sequence

import numpy as np
from openai import AsyncOpenAI, AuthenticationError, OpenAIError, omit

from knowledge.embedders.settings import OpenAI
from knowledge.errors import EmbeddingError

# What the interface takes in one request: at most 2,048 texts and 300,000 tokens, of which a window has at most 256.
BATCH = 512
TIMEOUT_SECS = 20.0
CONNECT_SECS = 5.0


class OpenAIEmbedder:
    """Embeds over the network; retries are the client's own."""

    def __init__(self, *, client: AsyncOpenAI, settings: OpenAI, dimensions: int) -> None:
        self._client = client
        self._settings = settings
        self.model_id = settings.model_id
        self.dimensions = dimensions
        self.budget_secs: float | None = settings.budget_secs

    @classmethod
    async def connect(cls, settings: OpenAI) -> "OpenAIEmbedder":
        """Return an embedder that knows how long its vectors are; raises EmbeddingError."""
        client = AsyncOpenAI(
            api_key=settings.api_key.get_secret_value(), base_url=settings.base_url, timeout=TIMEOUT_SECS
        )
        embedder = cls(client=client, settings=settings, dimensions=0)
        try:
            async with asyncio.timeout(CONNECT_SECS):
                embedder.dimensions = (await embedder.embed(["length"])).shape[1]
        except (EmbeddingError, TimeoutError) as error:
            await embedder.aclose()
            if isinstance(error, EmbeddingError):
                raise
            raise EmbeddingError("The embeddings server is too slow; check OPENAI_BASE_URL.") from error
        return embedder

    async def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return one unit vector a text, in as few requests as go; raises EmbeddingError."""
        vectors = [await self._ask(texts[first : first + BATCH]) for first in range(0, len(texts), BATCH)]
        if not vectors:
            return np.empty((0, self.dimensions), dtype=np.float32)
        array = np.concatenate(vectors)
        lengths = np.linalg.norm(array, axis=1, keepdims=True)
        return array / np.maximum(lengths, 1e-12)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _ask(self, texts: Sequence[str]) -> np.ndarray:
        dimensions = omit if self._settings.dimensions is None else self._settings.dimensions
        try:
            answer = await self._client.embeddings.create(
                model=self._settings.model, input=list(texts), encoding_format="float", dimensions=dimensions
            )
        except AuthenticationError as error:
            raise EmbeddingError("The embeddings server refuses the key; check OPENAI_API_KEY.") from error
        except OpenAIError as error:
            raise EmbeddingError(
                f"The embeddings server did not answer ({type(error).__name__}); check OPENAI_BASE_URL and the model."
            ) from error
        try:
            in_order = sorted(answer.data, key=lambda each: each.index)
            vectors = np.array([each.embedding for each in in_order], dtype=np.float32)
        except (AttributeError, TypeError, ValueError) as error:
            raise EmbeddingError("The embeddings server's answer holds no vectors; check OPENAI_BASE_URL.") from error
        if len(vectors) != len(texts):
            raise EmbeddingError(f"The embeddings server gave {len(vectors)} vectors for {len(texts)} texts.")
        if self.dimensions and vectors.shape[1] != self.dimensions:
            length = vectors.shape[1]
            raise EmbeddingError(f"The embeddings server's vectors are {length} long, not {self.dimensions}.")
        return vectors
