"""Who turns the caller's speech into words."""

from typing import Annotated

from pydantic import Field

from bot.providers.azure import AzureSTT
from bot.providers.embedded import EmbeddedSTT
from bot.providers.local import MoonshineSTT, WhisperSTT

STTProvider = Annotated[EmbeddedSTT | AzureSTT | MoonshineSTT | WhisperSTT, Field(discriminator="provider")]
