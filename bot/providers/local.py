"""Engines on the operator's own hosts, beside what Jarvis brings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from bot.providers.provider import Provider, variable
from bot.speech.recognition import Engine

if TYPE_CHECKING:
    from pipecat.services.settings import TTSSettings
    from pipecat.services.stt_service import STTService
    from pipecat.services.tts_service import TTSService

    from processors.takes import VoiceCache


class MoonshineSTT(Provider):
    """Moonshine tiny in the speech process: a small neural network for English, that needs no network."""

    title: ClassVar[str] = "Moonshine, on this host"
    english_only: ClassVar[bool] = True
    extra: ClassVar[str | None] = "moonshine"
    engine: ClassVar[Engine | None] = "moonshine"
    preload: ClassVar[tuple[str, ...]] = ("bot.speech.stt",)
    provider: Literal["moonshine"] = "moonshine"

    def build(self, *, speech_socket: Path) -> STTService:
        """The service for one call."""
        from bot.speech.client import SpeechClient
        from bot.speech.stt import EmbeddedSTTService

        return EmbeddedSTTService(
            client=SpeechClient(speech_socket, engine="moonshine"),
            settings=EmbeddedSTTService.Settings(model="moonshine-tiny-en"),
        )


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
