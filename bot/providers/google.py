"""Google: Speech-to-Text and Text-to-Speech with a service account, Gemini with a key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field

from bot.providers.provider import COUNTRIES, Key, Provider, speaks, variable

if TYPE_CHECKING:
    from pipecat.services.llm_service import LLMService
    from pipecat.services.settings import LLMSettings, TTSSettings
    from pipecat.services.stt_service import STTService
    from pipecat.services.tts_service import TTSService

    from bot.extractive.service import Similarity
    from processors.failover.route import Kind
    from processors.takes import VoiceCache


class GoogleSTT(Provider):
    """Google's Speech-to-Text, version 2, streaming."""

    title: ClassVar[str] = "Google Speech-to-Text"
    extra: ClassVar[str | None] = "google"
    preload: ClassVar[tuple[str, ...]] = ("bot.providers.google_stt",)
    provider: Literal["google"] = "google"
    credentials: Path = variable("GOOGLE_APPLICATION_CREDENTIALS", "the file of a service account's key")
    location: str = variable("GOOGLE_SPEECH_LOCATION", "where speech is recognised (us, eu)", default="us")
    model: str = variable(
        "GOOGLE_STT_MODEL", "the model that recognises; chirp_3 is not in every location", default="chirp_3"
    )
    language: str = variable("GOOGLE_LANGUAGE", "what callers speak, as BCP 47 has it", default="en-US")
    endpoint: str | None = variable(
        "GOOGLE_STT_ENDPOINT", "host:port of a private endpoint, which speaks TLS", default=None
    )

    def in_language(self, language: str) -> Self:
        """The same for another language."""
        return self if speaks(self.language, language) else self.model_copy(update={"language": COUNTRIES[language]})

    def build(self, *, speech_socket: Path) -> STTService:
        """The service for one call."""
        from pipecat.transcriptions.language import Language

        from bot.providers.google_stt import GoogleSpeechSTTService

        return GoogleSpeechSTTService(
            credentials_path=self.credentials,
            endpoint=self.endpoint,
            location=self.location,
            settings=GoogleSpeechSTTService.Settings(model=self.model, languages=[Language(self.language)]),
        )


class GoogleLLM(Provider):
    """Gemini, through the Gemini API."""

    title: ClassVar[str] = "Google Gemini"
    extra: ClassVar[str | None] = "google"
    preload: ClassVar[tuple[str, ...]] = ("bot.providers.google_llm",)
    provider: Literal["google"] = "google"
    api_key: Key = variable("GOOGLE_API_KEY", "answers by Gemini")
    base_url: str | None = variable("GOOGLE_BASE_URL", "a proxy that speaks the Gemini API", default=None)
    model: str = variable("GOOGLE_MODEL", "the Gemini model asked for", default="gemini-3.6-flash")
    fast_model: str | None = variable("GOOGLE_FAST_MODEL", "the model for small talk and short answers", default=None)
    first_token_secs: float = Field(
        default=4.0, gt=0, description="a request with no first token by then is sent once more"
    )
    silent_secs: float = Field(default=8.0, gt=0, description="an answer that pauses for so long is given up")

    @property
    def notice(self) -> str:
        """What the caller is told once about this provider."""
        return ""

    def build(self, *, instruction: str, similarity: Similarity) -> LLMService[Any]:
        """The service for one call; it compares nothing by itself."""
        from google.genai.types import HttpOptions

        from bot.providers.google_llm import GeminiLLMService

        return GeminiLLMService(
            api_key=self.api_key.get_secret_value(),
            http_options=HttpOptions(base_url=self.base_url),
            retry_on_timeout=True,
            retry_timeout_secs=self.first_token_secs,
            stream_idle_timeout_secs=self.silent_secs,
            settings=GeminiLLMService.Settings(model=self.model, system_instruction=instruction),
        )

    def models(self) -> dict[Kind, LLMSettings]:
        """The settings of its model for each kind of turn; empty where one has them all."""
        from bot.providers.google_llm import GeminiLLMService

        if self.fast_model is None:
            return {}
        return {
            "fast": GeminiLLMService.Settings(model=self.fast_model),
            "smart": GeminiLLMService.Settings(model=self.model),
        }


class GoogleTTS(Provider):
    """Google's Text-to-Speech, streaming: the Chirp 3 HD voices."""

    title: ClassVar[str] = "Google Chirp 3 HD"
    extra: ClassVar[str | None] = "google"
    preload: ClassVar[tuple[str, ...]] = ("bot.providers.google_tts",)
    is_cached: ClassVar[bool] = True
    provider: Literal["google"] = "google"
    credentials: Path = variable("GOOGLE_APPLICATION_CREDENTIALS", "the file of a service account's key")
    voice: str = variable(
        "GOOGLE_VOICE", "a Chirp 3 HD voice", default="en-US-Chirp3-HD-Aoede", pattern=r"^\w+-\w+-.+$"
    )
    endpoint: str | None = variable(
        "GOOGLE_TTS_ENDPOINT", "host:port of a regional or private endpoint, which speaks TLS", default=None
    )
    silent_secs: float = Field(default=4.0, gt=0, description="a text whose audio pauses for so long is given up")

    def in_language(self, language: str) -> Self:
        """The same voice in that language: each of Chirp's speaks them all."""
        if speaks(self.voice, language):
            return self
        return self.model_copy(update={"voice": f"{COUNTRIES[language]}-{self.voice.split('-', 2)[2]}"})

    def build(self, *, speech_socket: Path, cache: VoiceCache | None = None) -> TTSService:
        """The service for one call."""
        from bot.providers.google_tts import GoogleStreamingTTSService

        return GoogleStreamingTTSService(
            cache=cache,
            credentials_path=self.credentials,
            endpoint=self.endpoint,
            silent_secs=self.silent_secs,
            settings=GoogleStreamingTTSService.Settings(voice=self.voice, language=_language_of(self.voice)),
        )

    def manner(self, *, voice: str | None, speed: float) -> TTSSettings:
        """How one text is spoken: in another voice, where one is named, and so many times as fast, 0.5 to 2."""
        from bot.providers.google_tts import GoogleStreamingTTSService

        voice = voice or self.voice
        return GoogleStreamingTTSService.Settings(voice=voice, language=_language_of(voice), speaking_rate=speed)


def _language_of(voice: str) -> str:
    """The language that a voice begins with, which Google wants beside it: en-US of en-US-Chirp3-HD-Aoede."""
    return "-".join(voice.split("-")[:2])
