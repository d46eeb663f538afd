"""Cartesia's voices."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field

from bot.providers.provider import Key, Provider, speaks, variable

if TYPE_CHECKING:
    from pipecat.services.settings import TTSSettings
    from pipecat.services.tts_service import TTSService

    from processors.takes import VoiceCache

SLOWEST, FASTEST = 0.6, 1.5


class CartesiaTTS(Provider):
    """Sonic over Cartesia's websocket, with the time of each word."""

    title: ClassVar[str] = "Cartesia"
    preload: ClassVar[tuple[str, ...]] = ("bot.providers.cartesia_tts",)
    is_cached: ClassVar[bool] = True
    provider: Literal["cartesia"] = "cartesia"
    api_key: Key = variable("CARTESIA_API_KEY", "speaks by Cartesia")
    base_url: str = variable("CARTESIA_BASE_URL", "where Cartesia is", default="https://api.cartesia.ai")
    model: str = variable("CARTESIA_MODEL", "the model that speaks", default="sonic-3.6")
    voice: str = variable("CARTESIA_VOICE", "the id of the voice", default="71a7ad14-091c-4e8e-a314-022ece01c121")
    language: str = variable("CARTESIA_LANGUAGE", "the language that is spoken, such as en or en-GB", default="en")
    silence_secs: float = Field(default=3.0, gt=0, description="a turn is over when no sound came for so long")

    def in_language(self, language: str) -> Self:
        """The same for another language."""
        return self if speaks(self.language, language) else self.model_copy(update={"language": language})

    def build(self, *, speech_socket: Path, cache: VoiceCache | None = None) -> TTSService:
        """The service for one call; it connects as the pipeline is set up."""
        from bot.providers.cartesia_tts import CartesiaTTSService

        return CartesiaTTSService(
            cache=cache,
            api_key=self.api_key.get_secret_value(),
            url=re.sub("^http", "ws", self.base_url.rstrip("/")) + "/tts/websocket",
            # Cartesia joins the sentences of a turn as they are.
            append_trailing_space=True,
            stop_frame_timeout_s=self.silence_secs,
            settings=CartesiaTTSService.Settings(model=self.model, voice=self.voice, language=self.language),
        )

    def manner(self, *, voice: str | None, speed: float) -> TTSSettings:
        """How one text is spoken: by the voice of this id, where one is named; Cartesia has a speed of 0.6 to 1.5."""
        from pipecat.services.cartesia.tts import CartesiaTTSService, GenerationConfig

        return CartesiaTTSService.Settings(
            voice=voice or self.voice,
            generation_config=GenerationConfig(speed=min(max(speed, SLOWEST), FASTEST)),
        )
