"""Who turns the caller's speech into words."""

from typing import Annotated

from pydantic import Field

from bot.providers.embedded import EmbeddedSTT
from bot.providers.openai import OpenAISTT

STTProvider = Annotated[EmbeddedSTT | OpenAISTT, Field(discriminator="provider")]
