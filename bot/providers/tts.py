"""Who speaks the answer."""

from typing import Annotated

from pydantic import Field

from bot.providers.azure import AzureTTS
from bot.providers.cartesia import CartesiaTTS
from bot.providers.deepgram import DeepgramTTS
from bot.providers.elevenlabs import ElevenLabsTTS
from bot.providers.embedded import EmbeddedTTS
from bot.providers.google import GoogleTTS
from bot.providers.local import PiperTTS
from bot.providers.openai import OpenAITTS

TTSProvider = Annotated[
    EmbeddedTTS | CartesiaTTS | ElevenLabsTTS | GoogleTTS | AzureTTS | OpenAITTS | DeepgramTTS | PiperTTS,
    Field(discriminator="provider"),
]
