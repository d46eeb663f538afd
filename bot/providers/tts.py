"""Who speaks the answer."""

from typing import Annotated

from pydantic import Field

from bot.providers.embedded import EmbeddedTTS
from bot.providers.google import GoogleTTS

TTSProvider = Annotated[EmbeddedTTS | GoogleTTS, Field(discriminator="provider")]
