"""Who turns the caller's speech into words."""

from bot.providers.embedded import EmbeddedSTT

STTProvider = EmbeddedSTT
