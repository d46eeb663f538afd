"""Engines of the operator's own, beside Jarvis."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from bot.providers.provider import Provider, variable

if TYPE_CHECKING:
    from pipecat.services.settings import TTSSettings
    from pipecat.services.tts_service import TTSService

    from processors.takes import VoiceCache


class PiperTTS(Provider):
    """A Piper server, `python -m piper.http_server`: Piper is GPL, so it speaks in a process of its own."""

    title: ClassVar[str] = "a Piper server"
    preload: ClassVar[tuple[str, ...]] = ("bot.speech.piper",)
    is_cached: ClassVar[bool] = True
    provider: Literal["piper"] = "piper"
    base_url: str = variable("PIPER_BASE_URL", "the Piper server that speaks")
    voice: str | None = variable("PIPER_VOICE", "one of its voices; the one that it was started with", default=None)

    def build(self, *, speech_socket: Path, cache: VoiceCache | None = None) -> TTSService:
        """The service for one call; it needs no speech process."""
        from bot.speech.piper import PiperTTSService

        return PiperTTSService(cache=cache, base_url=self.base_url, settings=PiperTTSService.Settings(voice=self.voice))

    def manner(self, *, voice: str | None, speed: float) -> TTSSettings:
        """How one text is spoken: in another voice, where one is named, and so many times as fast, 0.5 to 2."""
        from bot.speech.piper import PiperTTSService

        return PiperTTSService.Settings(voice=voice or self.voice, speed=speed)
