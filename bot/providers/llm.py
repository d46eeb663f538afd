"""Who answers."""

from typing import Annotated

from pydantic import Field

from bot.providers.anthropic import AnthropicLLM
from bot.providers.embedded import ExtractiveLLM
from bot.providers.google import GoogleLLM
from bot.providers.openai import OpenAILLM

LLMProvider = Annotated[ExtractiveLLM | OpenAILLM | AnthropicLLM | GoogleLLM, Field(discriminator="provider")]
