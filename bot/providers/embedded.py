"""What runs without a key, on this host."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field

from bot.providers.provider import Provider, speaks
from bot.wording.table import Language, wording

if TYPE_CHECKING:
    from pipecat.services.llm_service import LLMService
    from pipecat.services.settings import LLMSettings, TTSSettings
    from pipecat.services.stt_service import STTService
    from pipecat.services.tts_service import TTSService

    from bot.extractive.service import Similarity
    from processors.failover.route import Kind
    from processors.takes import VoiceCache

SLOWEST, FASTEST = 80, 450
# espeak-ng's own names.
VOICES = {"en": "en-us", "de": "de", "fr": "fr", "es": "es"}


class EmbeddedSTT(Provider):
    """pocketsphinx in the speech process, its language model made from the documents."""

    title: ClassVar[str] = "pocketsphinx, on this host"
    english_only: ClassVar[bool] = True
    preload: ClassVar[tuple[str, ...]] = ("bot.speech.stt",)
    provider: Literal["embedded"] = "embedded"

    def build(self, *, speech_socket: Path) -> STTService:
        """The service for one call."""
        from bot.speech.client import SpeechClient
        from bot.speech.stt import EmbeddedSTTService

        return EmbeddedSTTService(client=SpeechClient(speech_socket))


class ExtractiveLLM(Provider):
    """No language model: it answers only by quoting this turn's passages."""

    title: ClassVar[str] = "quotes from the documents, on this host"
    english_only: ClassVar[bool] = True
    preload: ClassVar[tuple[str, ...]] = ("bot.extractive.service",)
    provider: Literal["extractive"] = "extractive"
    language: Language = "en"

    def in_language(self, language: str) -> Self:
        """The same with its own sentences in that language; questions are understood in English alone."""
        return self.model_validate({"language": language})

    @property
    def notice(self) -> str:
        """What the caller is told once about this provider."""
        return wording(self.language).no_language_model

    def build(self, *, instruction: str, similarity: Similarity) -> LLMService[Any]:
        """The service for one call; it needs no instruction."""
        from bot.extractive.service import ExtractiveLLMService

        return ExtractiveLLMService(similarity=similarity, words=wording(self.language))

    def models(self) -> dict[Kind, LLMSettings]:
        """None: it has no model to choose."""
        return {}


class EmbeddedTTS(Provider):
    """espeak-ng in the speech process."""

    title: ClassVar[str] = "espeak-ng, on this host"
    preload: ClassVar[tuple[str, ...]] = ("bot.speech.tts",)
    provider: Literal["embedded"] = "embedded"
    voice: str = "en-us+f2"
    words_per_minute: int = Field(default=165, ge=80, le=400)

    def in_language(self, language: str) -> Self:
        """The same with a voice of that language."""
        known = speaks(self.voice.partition("+")[0], language)
        return self if known else self.model_copy(update={"voice": f"{VOICES[language]}+f2"})

    def build(self, *, speech_socket: Path, cache: VoiceCache | None = None) -> TTSService:
        """The service for one call; it speaks sooner than a cache would answer."""
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
