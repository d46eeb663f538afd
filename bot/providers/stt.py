"""Who turns the caller's speech into words."""

from typing import Annotated

from pydantic import Field

from bot.providers.deepgram import DeepgramFluxSTT, DeepgramSTT
from bot.providers.embedded import EmbeddedSTT

STTProvider = Annotated[EmbeddedSTT | DeepgramSTT | DeepgramFluxSTT, Field(discriminator="provider")]
