"""ElevenLabs' voices."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field

from bot.providers.provider import Key, Provider, variable

if TYPE_CHECKING:
    from pipecat.services.settings import TTSSettings
    from pipecat.services.tts_service import TTSService

    from processors.takes import VoiceCache

SLOWEST, FASTEST = 0.7, 1.2


class ElevenLabsTTS(Provider):
    """Flash over ElevenLabs' websocket, with the time of each character."""

    title: ClassVar[str] = "ElevenLabs"
    preload: ClassVar[tuple[str, ...]] = ("bot.providers.elevenlabs_tts",)
    is_cached: ClassVar[bool] = True
    provider: Literal["elevenlabs"] = "elevenlabs"
    api_key: Key = variable("ELEVENLABS_API_KEY", "speaks by ElevenLabs")
    base_url: str = variable("ELEVENLABS_BASE_URL", "where ElevenLabs is", default="https://api.elevenlabs.io")
    model: str = variable("ELEVENLABS_MODEL", "the model that speaks", default="eleven_flash_v2_5")
    voice: str = variable("ELEVENLABS_VOICE", "the id of the voice", default="EXAVITQu4vr4xnSDxMaL")
    language: str | None = Field(default=None, description="what is spoken; by its words where not set")
    silence_secs: float = Field(default=3.0, gt=0, description="a turn is over when no sound came for so long")

    def in_language(self, language: str) -> Self:
        """The same for another language; English is told by its words."""
        return self if language == "en" else self.model_copy(update={"language": language})

    def build(self, *, speech_socket: Path, cache: VoiceCache | None = None) -> TTSService:
        """The service for one call; it connects as the pipeline is set up."""
        from bot.providers.elevenlabs_tts import ElevenLabsTTSService

        return ElevenLabsTTSService(
            cache=cache,
            api_key=self.api_key.get_secret_value(),
            url=re.sub("^http", "ws", self.base_url.rstrip("/")),
            # Without it the last word of a sentence has no end, and no time.
            append_trailing_space=True,
            stop_frame_timeout_s=self.silence_secs,
            settings=ElevenLabsTTSService.Settings(model=self.model, voice=self.voice, language=self.language),
        )

    def manner(self, *, voice: str | None, speed: float) -> TTSSettings:
        """How one text is spoken: by the voice of this id, where one is named; ElevenLabs has a speed of 0.7 to 1.2.

        Another voice is another connection.
        """
        from pipecat.services.elevenlabs.tts import ElevenLabsTTSService

        return ElevenLabsTTSService.Settings(voice=voice or self.voice, speed=min(max(speed, SLOWEST), FASTEST))
