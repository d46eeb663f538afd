"""Anthropic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from bot.providers.provider import Key, Provider, variable

if TYPE_CHECKING:
    from pipecat.services.llm_service import LLMService
    from pipecat.services.settings import LLMSettings

    from bot.extractive.service import Similarity
    from processors.failover.route import Kind


class AnthropicLLM(Provider):
    """Claude, over Anthropic's messages."""

    title: ClassVar[str] = "Anthropic"
    extra: ClassVar[str | None] = "anthropic"
    preload: ClassVar[tuple[str, ...]] = ("bot.providers.anthropic_services",)
    provider: Literal["anthropic"] = "anthropic"
    api_key: Key = variable("ANTHROPIC_API_KEY", "answers by Anthropic")
    base_url: str | None = variable("ANTHROPIC_BASE_URL", "what stands in Anthropic's place, as a proxy", default=None)
    model: str = variable("ANTHROPIC_MODEL", "the model asked for", default="claude-haiku-5-5")
    fast_model: str | None = variable(
        "ANTHROPIC_FAST_MODEL", "the model for small talk and short answers", default=None
    )
    first_token_secs: float = Field(
        default=4.0, gt=0, description="a request with no first token by then is sent once more"
    )
    stalled_secs: float = Field(default=8.0, gt=0, description="an answer that stands still for so long is given up")

    @property
    def notice(self) -> str:
        """What the caller is told once about this provider."""
        return ""

    def build(self, *, instruction: str, similarity: Similarity) -> LLMService[Any]:
        """The service for one call; it compares nothing by itself."""
        from bot.providers.anthropic_services import AnthropicMessagesService

        return AnthropicMessagesService(
            api_key=self.api_key.get_secret_value(),
            base_url=self.base_url,
            stalled_secs=self.stalled_secs,
            retry_on_timeout=True,
            retry_timeout_secs=self.first_token_secs,
            settings=AnthropicMessagesService.Settings(
                model=self.model, system_instruction=instruction, enable_prompt_caching=True
            ),
        )

    def models(self) -> dict[Kind, LLMSettings]:
        """The settings of its model for each kind of turn; empty where one has them all."""
        from bot.providers.anthropic_services import AnthropicMessagesService

        if self.fast_model is None:
            return {}
        return {
            "fast": AnthropicMessagesService.Settings(model=self.fast_model),
            "smart": AnthropicMessagesService.Settings(model=self.model),
        }
