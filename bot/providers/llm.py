"""Who answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, Field, SecretStr, SerializationInfo, field_serializer

if TYPE_CHECKING:
    from pipecat.services.llm_service import LLMService

    from bot.extractive.service import Similarity

REVEAL = {"reveal": True}


class ExtractiveLLM(BaseModel):
    """No language model: it answers only by quoting this turn's passages."""

    preload: ClassVar[tuple[str, ...]] = ("bot.extractive.service",)
    provider: Literal["extractive"] = "extractive"

    @property
    def notice(self) -> str:
        """What the caller is told once about this provider."""
        return "I'm running without a language model, so I answer in the words of our documents."

    def build(self, *, instruction: str, similarity: Similarity) -> LLMService[Any]:
        """The service for one call; it needs no instruction."""
        from bot.extractive.service import ExtractiveLLMService

        return ExtractiveLLMService(similarity=similarity)


class OpenAILLM(BaseModel):
    """OpenAI, or whatever speaks its chat completions at `base_url` (Ollama, vLLM)."""

    preload: ClassVar[tuple[str, ...]] = ("pipecat.services.openai.llm",)
    provider: Literal["openai"] = "openai"
    api_key: SecretStr
    base_url: str | None = None
    model: str = "gpt-4.1"
    first_token_secs: float = Field(
        default=4.0, gt=0, description="a request with no first token by then is sent once more"
    )

    @field_serializer("api_key", when_used="json")
    def _key(self, key: SecretStr, info: SerializationInfo) -> str:
        """The key only where the context says so: on the control socket, nowhere else."""
        return key.get_secret_value() if info.context == REVEAL else str(key)

    @property
    def notice(self) -> str:
        """What the caller is told once about this provider."""
        return ""

    def build(self, *, instruction: str, similarity: Similarity) -> LLMService[Any]:
        """The service for one call; it compares nothing by itself."""
        from pipecat.services.openai.llm import OpenAILLMService

        return OpenAILLMService(
            api_key=self.api_key.get_secret_value(),
            base_url=self.base_url,
            retry_on_timeout=True,
            retry_timeout_secs=self.first_token_secs,
            settings=OpenAILLMService.Settings(model=self.model, system_instruction=instruction),
        )


LLMProvider = Annotated[ExtractiveLLM | OpenAILLM, Field(discriminator="provider")]
