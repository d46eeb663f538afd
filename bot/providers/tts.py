"""Who speaks the answer."""

from typing import Annotated

from pydantic import Field

from bot.providers.azure import AzureTTS
from bot.providers.embedded import EmbeddedTTS
from bot.providers.local import PiperTTS

TTSProvider = Annotated[EmbeddedTTS | AzureTTS | PiperTTS, Field(discriminator="provider")]
