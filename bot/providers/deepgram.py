"""Deepgram: Nova and Flux listen, Aura speaks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from bot.providers.provider import Key, Provider, speaks, variable

if TYPE_CHECKING:
    from pipecat.services.settings import TTSSettings
    from pipecat.services.stt_service import STTService
    from pipecat.services.tts_service import TTSService

    from processors.takes import VoiceCache

# What Aura-2 takes.
SLOWEST, FASTEST = 0.7, 1.5
# A voice of each language.
VOICES = {"en": "aura-2-thalia-en", "de": "aura-2-viktoria-de", "fr": "aura-2-agathe-fr", "es": "aura-2-celeste-es"}
# How sure Flux has to be for its first guess that a turn has ended; the middle of what it takes.
GUESS_CONFIDENCE = 0.5


class _Deepgram(Provider):
    """What its three services have in common."""

    extra: ClassVar[str | None] = "deepgram"
    api_key: Key = variable("DEEPGRAM_API_KEY", "speech by Deepgram, or by what DEEPGRAM_BASE_URL serves")
    base_url: str = variable(
        "DEEPGRAM_BASE_URL",
        "Deepgram's server of another region, or your own",
        default="https://api.deepgram.com",
        pattern=r"^(https?|wss?)://[^\s?#]+$",
    )

    @property
    def _sockets_url(self) -> str:
        """Where its websockets are."""
        scheme, _, place = self.base_url.partition("://")
        return f"{'wss' if scheme in ('https', 'wss') else 'ws'}://{place.rstrip('/')}"


class DeepgramSTT(_Deepgram):
    """Nova: words as they come, final at the end of each stretch of speech."""

    title: ClassVar[str] = "Deepgram Nova"
    preload: ClassVar[tuple[str, ...]] = ("bot.providers.deepgram_recognisers",)
    provider: Literal["deepgram"] = "deepgram"
    model: str = variable("DEEPGRAM_MODEL", "Deepgram's model that listens", default="nova-3")
    language: str = variable("DEEPGRAM_LANGUAGE", "the language that callers speak, or multi", default="en")

    def in_language(self, language: str) -> Self:
        """The same for another language."""
        knows = self.language == "multi" or speaks(self.language, language)
        return self if knows else self.model_copy(update={"language": language})

    def build(self, *, speech_socket: Path) -> STTService:
        """The service for one call."""
        from bot.providers.deepgram_recognisers import NovaSTTService

        return NovaSTTService(
            api_key=self.api_key.get_secret_value(),
            base_url=self._sockets_url,
            # Without endpointing of its own it keeps all words for the answer to Finalize, which our VAD asks for: one
            # transcript a stretch of speech, and known to be the last.
            settings=NovaSTTService.Settings(
                model=self.model, language=self.language, endpointing=False, interim_results=True
            ),
        )


class DeepgramFluxSTT(_Deepgram):
    """Flux: a model of turns, whose words are used here; VAD and smart-turn decide when a turn ends."""

    title: ClassVar[str] = "Deepgram Flux"
    preload: ClassVar[tuple[str, ...]] = ("bot.providers.deepgram_recognisers",)
    provider: Literal["deepgram_flux"] = "deepgram_flux"
    model: str = variable("DEEPGRAM_FLUX_MODEL", "Flux's model that listens", default="flux-general-en")
    is_eager: bool = variable(
        "DEEPGRAM_FLUX_EAGER", "whether Flux's first guess that a turn ended is enough in a silence", default=True
    )

    def in_language(self, language: str) -> Self:
        """The same for another language."""
        english = self.model.endswith("-en")
        return self.model_copy(update={"model": "flux-general-multi"}) if english and language != "en" else self

    def build(self, *, speech_socket: Path) -> STTService:
        """The service for one call."""
        from bot.providers.deepgram_recognisers import FluxSTTService

        return FluxSTTService(
            api_key=self.api_key.get_secret_value(),
            url=f"{self._sockets_url}/v2/listen",
            settings=FluxSTTService.Settings(
                model=self.model, eager_eot_threshold=GUESS_CONFIDENCE if self.is_eager else None
            ),
        )


class DeepgramTTS(_Deepgram):
    """Aura, over a websocket that lasts as long as the call."""

    title: ClassVar[str] = "Deepgram Aura"
    preload: ClassVar[tuple[str, ...]] = ("bot.providers.deepgram_tts",)
    is_cached: ClassVar[bool] = True
    provider: Literal["deepgram"] = "deepgram"
    voice: str = variable("DEEPGRAM_VOICE", "Deepgram's voice that speaks", default="aura-2-thalia-en")

    def in_language(self, language: str) -> Self:
        """The same with a voice of that language: Aura's names end with theirs."""
        knows = speaks(self.voice.rpartition("-")[2], language)
        return self if knows else self.model_copy(update={"voice": VOICES[language]})

    def build(self, *, speech_socket: Path, cache: VoiceCache | None = None) -> TTSService:
        """The service for one call."""
        from bot.providers.deepgram_tts import DeepgramTTSService

        return DeepgramTTSService(
            cache=cache,
            api_key=self.api_key.get_secret_value(),
            base_url=self._sockets_url,
            settings=DeepgramTTSService.Settings(model=self.voice, voice=self.voice),
        )

    def manner(self, *, voice: str | None, speed: float) -> TTSSettings:
        """How one text is spoken: in another voice, where one is named, and so many times as fast, 0.7 to 1.5."""
        from pipecat.services.deepgram.tts import DeepgramTTSService

        # Each change of these costs a new connection; a speed that is left out is Aura's own.
        fast = None if speed == 1 else min(max(speed, SLOWEST), FASTEST)
        return DeepgramTTSService.Settings(voice=voice or self.voice, speed=fast)
