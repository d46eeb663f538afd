"""Who turns the caller's speech into words."""

from typing import Annotated

from pydantic import Field

from bot.providers.embedded import EmbeddedSTT
from bot.providers.google import GoogleSTT

STTProvider = Annotated[EmbeddedSTT | GoogleSTT, Field(discriminator="provider")]
