"""OpenAI, and what speaks its interface."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field

from bot.providers.provider import Key, Provider, speaks, variable

if TYPE_CHECKING:
    from pipecat.services.llm_service import LLMService
    from pipecat.services.settings import LLMSettings, TTSSettings
    from pipecat.services.stt_service import STTService
    from pipecat.services.tts_service import TTSService

    from bot.extractive.service import Similarity
    from processors.failover.route import Kind
    from processors.takes import VoiceCache

# They think before they answer unless they are told not to; other models, and other servers, refuse to be told.
REASONING = re.compile(r"gpt-(5\.\d|[6-9])")


class _OpenAI(Provider):
    """What its three services have in common."""

    preload: ClassVar[tuple[str, ...]] = ("bot.providers.openai_services",)
    provider: Literal["openai"] = "openai"
    base_url: str | None = None

    @property
    def is_own_server(self) -> bool:
        """Whether it is not OpenAI."""
        return self.base_url is not None


class OpenAISTT(_OpenAI):
    """OpenAI's transcriptions of whole stretches of speech, or whatever speaks them at `base_url`.

    Not its realtime interface: Pipecat marks none of that one's transcripts as final, so each turn would wait out the
    longest time that a transcript may take, and self-hosted servers seldom have it.
    """

    title: ClassVar[str] = "OpenAI, or what speaks its transcriptions"
    api_key: Key = variable("OPENAI_API_KEY", "hears by OpenAI, or by what OPENAI_STT_BASE_URL serves")
    base_url: str | None = variable(
        "OPENAI_STT_BASE_URL", "any server with OpenAI's transcriptions (speaches, whisper.cpp)", default=None
    )
    model: str = variable("OPENAI_STT_MODEL", "the model that hears", default="gpt-transcribe")
    language: str = variable("OPENAI_STT_LANGUAGE", "the callers' language, as in ISO 639-1", default="en")
    stalled_secs: float = Field(default=8.0, gt=0, description="an answer that stands still for so long is given up")

    def in_language(self, language: str) -> Self:
        """The same for another language."""
        return self if speaks(self.language, language) else self.model_copy(update={"language": language})

    def build(self, *, speech_socket: Path) -> STTService:
        """The service for one call; it needs no speech process."""
        from bot.providers.openai_services import OpenAITranscriptionService

        return OpenAITranscriptionService(
            api_key=self.api_key.get_secret_value(),
            base_url=self.base_url,
            stalled_secs=self.stalled_secs,
            settings=OpenAITranscriptionService.Settings(model=self.model, language=self.language),
        )


class OpenAILLM(_OpenAI):
    """OpenAI's chat completions, or whatever speaks them at `base_url` (Ollama, vLLM, OpenRouter)."""

    title: ClassVar[str] = "OpenAI, or what speaks its chat completions"
    api_key: Key = variable("OPENAI_API_KEY", "answers by OpenAI, or by what OPENAI_BASE_URL serves")
    base_url: str | None = variable("OPENAI_BASE_URL", "any OpenAI-compatible server (Ollama, vLLM)", default=None)
    model: str = variable("OPENAI_MODEL", "the model asked for", default="gpt-6.1-terra")
    fast_model: str | None = variable(
        "OPENAI_FAST_MODEL", "the model for small talk and short answers, which is told not to think", default=None
    )
    reasoning_effort: str | None = variable(
        "OPENAI_REASONING_EFFORT",
        "how long a model thinks before it answers; not at all where it can be told so and nothing is set",
        default=None,
    )
    first_token_secs: float = Field(
        default=4.0, gt=0, description="a request with no first token by then is sent once more"
    )
    stalled_secs: float = Field(default=8.0, gt=0, description="an answer that stands still for so long is given up")

    @property
    def notice(self) -> str:
        """What the caller is told once about this provider."""
        return ""

    def build(self, *, instruction: str, similarity: Similarity) -> LLMService[Any]:
        """The service for one call; it compares nothing by itself."""
        from bot.providers.openai_services import OpenAIChatService

        effort = self.reasoning_effort or _effort(self.model)
        return OpenAIChatService(
            api_key=self.api_key.get_secret_value(),
            base_url=self.base_url,
            stalled_secs=self.stalled_secs,
            retry_on_timeout=True,
            retry_timeout_secs=self.first_token_secs,
            settings=OpenAIChatService.Settings(
                model=self.model,
                system_instruction=instruction,
                extra={} if effort is None else {"reasoning_effort": effort},
            ),
        )

    def models(self) -> dict[Kind, LLMSettings]:
        """The settings of its model for each kind of turn; empty where one has them all."""
        from openai import NOT_GIVEN

        from bot.providers.openai_services import OpenAIChatService

        if self.fast_model is None:
            return {}
        # What one model is told the other may refuse, and extras stay until they are overwritten.
        fast = {"reasoning_effort": _effort(self.fast_model) or NOT_GIVEN}
        smart = {"reasoning_effort": self.reasoning_effort or _effort(self.model) or NOT_GIVEN}
        return {
            "fast": OpenAIChatService.Settings(model=self.fast_model, extra=fast),
            "smart": OpenAIChatService.Settings(model=self.model, extra=smart),
        }


def _effort(model: str) -> str | None:
    """What is said to a model so that it does not think."""
    return "none" if REASONING.match(model) else None


class OpenAITTS(_OpenAI):
    """OpenAI's speech, or whatever speaks it at `base_url` (Kokoro-FastAPI, speaches): 24 kHz, no word times."""

    title: ClassVar[str] = "OpenAI, or what speaks its speech interface"
    is_cached: ClassVar[bool] = True
    api_key: Key = variable("OPENAI_API_KEY", "speaks by OpenAI, or by what OPENAI_TTS_BASE_URL serves")
    base_url: str | None = variable(
        "OPENAI_TTS_BASE_URL", "any server with OpenAI's speech (Kokoro-FastAPI, speaches)", default=None
    )
    # OpenAI ends all models of this interface on 2027-01-06 and names none in their place; other servers go on.
    model: str = variable("OPENAI_TTS_MODEL", "the model that speaks", default="gpt-4o-mini-tts")
    voice: str = variable("OPENAI_VOICE", "the voice, by the server's name for it", default="marin")
    stalled_secs: float = Field(default=8.0, gt=0, description="speech that stands still for so long is given up")

    def build(self, *, speech_socket: Path, cache: VoiceCache | None = None) -> TTSService:
        """The service for one call; it needs no speech process."""
        from bot.providers.openai_services import OpenAISpeechService

        return OpenAISpeechService(
            cache=cache,
            api_key=self.api_key.get_secret_value(),
            base_url=self.base_url,
            stalled_secs=self.stalled_secs,
            settings=OpenAISpeechService.Settings(model=self.model, voice=self.voice),
        )

    def manner(self, *, voice: str | None, speed: float) -> TTSSettings:
        """How one text is spoken: in another voice, where one is named, and so many times as fast, 0.5 to 2."""
        from bot.providers.openai_services import OpenAISpeechService

        return OpenAISpeechService.Settings(voice=voice or self.voice, speed=speed)
