"""OpenAI's embeddings, or those of a server that speaks the same."""

from collections.abc import Sequence

import numpy as np
from openai import AsyncOpenAI, AuthenticationError, OpenAIError, omit

from knowledge.embedders.settings import OpenAI
from knowledge.errors import EmbeddingError

# What the interface takes in one request: at most 2,048 texts and 300,000 tokens, of which a window has at most 256.
BATCH = 512
TIMEOUT_SECS = 20.0


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
        embedder.dimensions = len((await embedder.embed(["length"]))[0])
        return embedder

    async def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return one unit vector a text, in as few requests as go; raises EmbeddingError."""
        vectors: list[list[float]] = []
        for first in range(0, len(texts), BATCH):
            vectors += await self._ask(texts[first : first + BATCH])
        array = np.array(vectors, dtype=np.float32).reshape(len(texts), -1)
        lengths = np.linalg.norm(array, axis=1, keepdims=True)
        return array / np.maximum(lengths, 1e-12)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _ask(self, texts: Sequence[str]) -> list[list[float]]:
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
        vectors = [each.embedding for each in sorted(answer.data, key=lambda each: each.index)]
        if len(vectors) != len(texts):
            raise EmbeddingError(f"The embeddings server gave {len(vectors)} vectors for {len(texts)} texts.")
        return vectors
