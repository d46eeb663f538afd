"""Azure's speech service."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self
from xml.sax.saxutils import escape

from pydantic import model_validator

from bot.providers.provider import COUNTRIES, Key, Provider, speaks, variable

if TYPE_CHECKING:
    from pipecat.services.settings import TTSSettings
    from pipecat.services.stt_service import STTService
    from pipecat.services.tts_service import TTSService

    from processors.takes import VoiceCache

# A voice of each language.
VOICES = {"en": "AvaNeural", "de": "KatjaNeural", "fr": "DeniseNeural", "es": "ElviraNeural"}
# How long a caller is silent before Azure tells what it heard: its own half a second holds each answer up.
SEGMENT_MS = 300


class _Azure(Provider):
    """Where Azure's speech service is, and what opens it."""

    extra: ClassVar[str | None] = "azure"
    provider: Literal["azure"] = "azure"
    api_key: Key = variable("AZURE_SPEECH_KEY", "hears and speaks by Azure's speech service")
    region: str | None = variable("AZURE_SPEECH_REGION", "where the speech resource is, as in westeurope", default=None)
    endpoint: str | None = variable(
        "AZURE_SPEECH_ENDPOINT", "the resource's own address, instead of a region: a private link", default=None
    )
    language: str = variable("AZURE_LANGUAGE", "the language that is heard and spoken", default="en-US")

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if not self.region and not self.endpoint:
            raise ValueError("Azure needs AZURE_SPEECH_REGION, or AZURE_SPEECH_ENDPOINT for a private one; set either.")
        return self

    @property
    def _region(self) -> str | None:
        """The region, unless the endpoint says already where to go."""
        return None if self.endpoint else self.region


class AzureSTT(_Azure):
    """Azure's real-time transcription."""

    title: ClassVar[str] = "Azure Speech"
    preload: ClassVar[tuple[str, ...]] = ("bot.providers.azure_sdk",)

    def in_language(self, language: str) -> Self:
        """The same for another language."""
        return self if speaks(self.language, language) else self.model_copy(update={"language": COUNTRIES[language]})

    def build(self, *, speech_socket: Path) -> STTService:
        """The service for one call; it needs no speech process."""
        from bot.providers.azure_sdk import AzureSTTService

        return AzureSTTService(
            api_key=self.api_key.get_secret_value(),
            region=self._region,
            private_endpoint=self.endpoint,
            settings=AzureSTTService.Settings(language=self.language, segmentation_silence_timeout_ms=SEGMENT_MS),
        )


class AzureTTS(_Azure):
    """Azure's neural voices, with the time of each word."""

    title: ClassVar[str] = "Azure Speech"
    preload: ClassVar[tuple[str, ...]] = ("bot.providers.azure_sdk",)
    is_cached: ClassVar[bool] = True
    voice: str = variable("AZURE_VOICE", "the voice that speaks", default="en-US-AvaNeural")

    def in_language(self, language: str) -> Self:
        """The same with a voice of that language."""
        if speaks(self.language, language):
            return self
        code = COUNTRIES[language]
        return self.model_copy(update={"language": code, "voice": f"{code}-{VOICES[language]}"})

    def build(self, *, speech_socket: Path, cache: VoiceCache | None = None) -> TTSService:
        """The service for one call; it needs no speech process."""
        from bot.providers.azure_sdk import AzureTTSService

        return AzureTTSService(
            cache=cache,
            api_key=self.api_key.get_secret_value(),
            region=self._region,
            private_endpoint=self.endpoint,
            settings=AzureTTSService.Settings(voice=_attribute(self.voice), language=self.language),
        )

    def manner(self, *, voice: str | None, speed: float) -> TTSSettings:
        """How one text is spoken: in another voice, where one is named, and so many times as fast, 0.5 to 2."""
        from bot.providers.azure_sdk import AzureTTSService

        return AzureTTSService.Settings(voice=_attribute(voice or self.voice), rate=f"{speed:g}")


def _attribute(voice: str) -> str:
    """The name as it may stand between the quotes of SSML, where Pipecat puts it as it is."""
    return escape(voice, {"'": "&apos;", '"': "&quot;"})
