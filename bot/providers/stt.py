"""Who turns the caller's speech into words."""

from typing import Annotated

from pydantic import Field

from bot.providers.azure import AzureSTT
from bot.providers.deepgram import DeepgramFluxSTT, DeepgramSTT
from bot.providers.embedded import EmbeddedSTT
from bot.providers.google import GoogleSTT
from bot.providers.local import MoonshineSTT
from bot.providers.openai import OpenAISTT

STTProvider = Annotated[
    EmbeddedSTT | DeepgramSTT | DeepgramFluxSTT | GoogleSTT | AzureSTT | OpenAISTT | MoonshineSTT,
    Field(discriminator="provider"),
]
