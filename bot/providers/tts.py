"""Who speaks the answer."""

from typing import Annotated

from pydantic import Field

from bot.providers.embedded import EmbeddedTTS
from bot.providers.openai import OpenAITTS

TTSProvider = Annotated[EmbeddedTTS | OpenAITTS, Field(discriminator="provider")]
