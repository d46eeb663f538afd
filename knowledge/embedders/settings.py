"""Who embeds: one tagged settings class a provider, with `build()`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, Field, SecretStr, SerializationInfo, field_serializer

if TYPE_CHECKING:
    from knowledge.embedders import Embedder

REVEAL = {"reveal": True}


class MiniLm(BaseModel):
    """all-MiniLM-L6-v2 on this host's CPU."""

    provider: Literal["minilm"] = "minilm"

    @property
    def model_id(self) -> str:
        """Names the model; vectors of two models cannot be compared."""
        from knowledge.embedders.minilm import MODEL_ID

        return MODEL_ID

    async def build(self, *, models_dir: Path, threads: int = 1) -> Embedder:
        """Return the model, built first where it is missing, to run on so many threads; raises ModelError."""
        from knowledge.embedders.minilm import MiniLmEmbedder, ensure_built

        await ensure_built(models_dir)
        return MiniLmEmbedder(models_dir=models_dir, threads=threads)


class OpenAI(BaseModel):
    """OpenAI, or whatever speaks its embeddings at `base_url`."""

    provider: Literal["openai"] = "openai"
    api_key: SecretStr
    base_url: str | None = None
    model: str = "text-embedding-3-small"
    dimensions: int | None = Field(default=None, ge=1, le=4000, description="length of a vector, where the model can")
    budget_secs: float = Field(
        default=0.1, gt=0, description="how long a question may take; then its words alone must do"
    )

    @property
    def model_id(self) -> str:
        """Names the model; vectors of two models cannot be compared."""
        return f"openai/{self.model}" + (f"@{self.dimensions}" if self.dimensions else "")

    @field_serializer("api_key", when_used="json")
    def _key(self, key: SecretStr, info: SerializationInfo) -> str:
        """The key only where the context says so: on a child's stdin, nowhere else."""
        return key.get_secret_value() if info.context == REVEAL else str(key)

    async def build(self, *, models_dir: Path, threads: int = 1) -> Embedder:
        """Return the client; it asks once how long the vectors are, and raises EmbeddingError when that fails."""
        from knowledge.embedders.openai import OpenAIEmbedder

        return await OpenAIEmbedder.connect(self)


EmbedderSettings = Annotated[MiniLm | OpenAI, Field(discriminator="provider")]
