"""Who speaks the answer."""

from typing import Annotated

from pydantic import Field

from bot.providers.deepgram import DeepgramTTS
from bot.providers.embedded import EmbeddedTTS

TTSProvider = Annotated[EmbeddedTTS | DeepgramTTS, Field(discriminator="provider")]
