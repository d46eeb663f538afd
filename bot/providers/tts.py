"""Who speaks the answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import BaseModel, Field

SLOWEST, FASTEST = 80, 450

if TYPE_CHECKING:
    from pipecat.services.settings import TTSSettings
    from pipecat.services.tts_service import TTSService


class EmbeddedTTS(BaseModel):
    """espeak-ng in the speech process."""

    preload: ClassVar[tuple[str, ...]] = ("bot.speech.tts",)
    provider: Literal["embedded"] = "embedded"
    voice: str = "en-us+f2"
    words_per_minute: int = Field(default=165, ge=80, le=400)

    def build(self, *, speech_socket: Path) -> TTSService:
        """The service for one call."""
        from bot.speech.client import SpeechClient
        from bot.speech.tts import EmbeddedTTSService

        return EmbeddedTTSService(
            client=SpeechClient(speech_socket),
            settings=EmbeddedTTSService.Settings(voice=self.voice, words_per_minute=self.words_per_minute),
        )

    def manner(self, *, voice: str | None, speed: float) -> TTSSettings:
        """How one text is spoken: in another voice, where one is named, and so many times as fast, 0.5 to 2."""
        from bot.speech.tts import EmbeddedTTSService

        fast = round(self.words_per_minute * speed)
        return EmbeddedTTSService.Settings(voice=voice or self.voice, words_per_minute=min(max(fast, SLOWEST), FASTEST))


TTSProvider = EmbeddedTTS
