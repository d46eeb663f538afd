"""OpenAI, and what speaks its interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from bot.providers.provider import Key, Provider, variable

if TYPE_CHECKING:
    from pipecat.services.llm_service import LLMService

    from bot.extractive.service import Similarity


class OpenAILLM(Provider):
    """OpenAI's chat completions, or whatever speaks them at `base_url` (Ollama, vLLM, OpenRouter)."""

    title: ClassVar[str] = "OpenAI, or what speaks its chat completions"
    preload: ClassVar[tuple[str, ...]] = ("pipecat.services.openai.llm",)
    provider: Literal["openai"] = "openai"
    api_key: Key = variable("OPENAI_API_KEY", "answers by OpenAI, or by what OPENAI_BASE_URL serves")
    base_url: str | None = variable("OPENAI_BASE_URL", "any OpenAI-compatible server (Ollama, vLLM)", default=None)
    model: str = variable("OPENAI_MODEL", "the model asked for", default="gpt-4.1")
    first_token_secs: float = Field(
        default=4.0, gt=0, description="a request with no first token by then is sent once more"
    )

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
