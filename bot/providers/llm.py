"""Who answers."""

from typing import Annotated

from pydantic import Field

from bot.providers.anthropic import AnthropicLLM
from bot.providers.embedded import ExtractiveLLM
from bot.providers.openai import OpenAILLM

LLMProvider = Annotated[ExtractiveLLM | OpenAILLM | AnthropicLLM, Field(discriminator="provider")]
