"""Who speaks the answer."""

from bot.providers.embedded import EmbeddedTTS

TTSProvider = EmbeddedTTS
