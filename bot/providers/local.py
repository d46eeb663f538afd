"""Engines of the operator's own, on this host or beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from bot.providers.provider import Provider, imported, variable

if TYPE_CHECKING:
    from pipecat.services.settings import TTSSettings
    from pipecat.services.stt_service import STTService
    from pipecat.services.tts_service import TTSService


class WhisperSTT(Provider):
    """faster-whisper in the bot: each call loads the model, and hears a stretch of speech when it is over."""

    title: ClassVar[str] = "Whisper, on this host"
    extra: ClassVar[str | None] = "whisper"
    provider: Literal["whisper"] = "whisper"
    model: str = variable(
        "WHISPER_MODEL", "a model's name, which is fetched once, or the folder that has it", default="distil-small.en"
    )
    language: str | None = variable("WHISPER_LANGUAGE", "the language that is heard", default="en")

    def build(self, *, speech_socket: Path) -> STTService:
        """The service for one call; it needs no speech process."""
        with imported(extra="whisper"):
            from pipecat.services.whisper.stt import WhisperSTTService

        settings = WhisperSTTService.Settings(model=self.model, language=self.language)
        return WhisperSTTService(device="cpu", compute_type="int8", settings=settings)


class MoonshineSTT(Provider):
    """Moonshine in the bot: each call loads the model, and hears a stretch of speech when it is over."""

    title: ClassVar[str] = "Moonshine, on this host"
    extra: ClassVar[str | None] = "moonshine"
    provider: Literal["moonshine"] = "moonshine"
    model: str = variable(
        "MOONSHINE_MODEL", "how large the model is, which is fetched once: tiny to medium-streaming", default="base"
    )
    language: str = variable("MOONSHINE_LANGUAGE", "the language that is heard", default="en")

    def build(self, *, speech_socket: Path) -> STTService:
        """The service for one call; it needs no speech process."""
        with imported(extra="moonshine"):
            from pipecat.services.moonshine.stt import MoonshineSTTService

        return MoonshineSTTService(settings=MoonshineSTTService.Settings(model=self.model, language=self.language))


class PiperTTS(Provider):
    """A Piper server, `python -m piper.http_server`: Piper is GPL, so it speaks in a process of its own."""

    title: ClassVar[str] = "a Piper server"
    preload: ClassVar[tuple[str, ...]] = ("bot.speech.piper",)
    provider: Literal["piper"] = "piper"
    base_url: str = variable("PIPER_BASE_URL", "the Piper server that speaks")
    voice: str | None = variable("PIPER_VOICE", "one of its voices; the one that it was started with", default=None)

    def build(self, *, speech_socket: Path) -> TTSService:
        """The service for one call; it needs no speech process."""
        from bot.speech.piper import PiperTTSService

        return PiperTTSService(base_url=self.base_url, settings=PiperTTSService.Settings(voice=self.voice))

    def manner(self, *, voice: str | None, speed: float) -> TTSSettings:
        """How one text is spoken: in another voice, where one is named, and so many times as fast, 0.5 to 2."""
        from bot.speech.piper import PiperTTSService

        return PiperTTSService.Settings(voice=voice or self.voice, speed=speed)
