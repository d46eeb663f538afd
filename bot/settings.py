"""What one call is set to: its voice, its ears, its mind, its manners. Sent to the bot when a session takes it."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from bot.budget import Budget
from bot.change import Change
from bot.persona import Persona
from bot.providers.embedded import EmbeddedSTT, EmbeddedTTS, ExtractiveLLM
from bot.providers.llm import LLMProvider
from bot.providers.provider import Key
from bot.providers.stt import STTProvider
from bot.providers.tts import TTSProvider
from bot.reading.lexicon import Lexicon
from bot.speech.recognition import Engine
from bot.tools.settings import HttpTool
from bot.wording.table import Wording


class Frozen(BaseModel):
    """Base of the settings: unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Turns(Frozen):
    """When the caller's turn begins and ends."""

    vad_confidence: float = Field(default=0.7, ge=0, le=1)
    vad_start_secs: float = Field(default=0.064, gt=0, le=1, description="voice this long is speech, and a barge-in")
    vad_stop_secs: float = Field(
        default=0.2, gt=0, le=2, description="silence this long asks smart-turn whether the turn ended"
    )
    vad_min_volume: float = Field(default=0.0, ge=0, le=1)
    max_pause_secs: float = Field(
        default=1.5, gt=0, le=10, description="silence this long ends the turn, whatever smart-turn says"
    )


class Limits(Frozen):
    """When a call ends by itself."""

    idle_secs: float = Field(
        default=60,
        gt=0,
        description="seconds of a caller's silence; after half of them it is asked whether they are there",
    )
    max_duration_secs: float = Field(default=1800, gt=0)
    connect_secs: float = Field(default=30, gt=0, description="seconds from the offer to connected media")


class Retrieval(Frozen):
    """What is looked up for a turn."""

    socket: Path
    collection: str = "default"
    access: tuple[str, ...] = Field(default=(), description="labels that the caller holds")
    passages: int = Field(default=4, ge=1, le=20)
    timeout_secs: float = Field(default=1.5, gt=0, description="later passages are not waited for")
    keep_gaps: bool = Field(default=True, description="whether questions that were not answered may be kept")


class Tracing(Frozen):
    """Where the spans of a call go: OTLP over HTTP."""

    endpoint: str


class BotSettings(Frozen):
    """Everything a bot process is told about its call; providers in the order of preference, the embedded one last."""

    stt: tuple[STTProvider, ...] = Field(default=(EmbeddedSTT(),), min_length=1)
    llm: tuple[LLMProvider, ...] = Field(default=(ExtractiveLLM(),), min_length=1)
    tts: tuple[TTSProvider, ...] = Field(default=(EmbeddedTTS(),), min_length=1)
    hedge: bool = Field(
        default=False, description="whether a second language model starts where the first is slower than mostly"
    )
    chosen: Change = Field(default=Change(), description="what was chosen for this call while it went on")
    filler_secs: float = Field(
        default=1.2, ge=0, description="seconds without an answer after which a word is said to the caller; 0 for none"
    )
    budget: Budget = Budget()
    persona: Persona = Persona()
    pronunciations: Lexicon = Field(default=(), description="words, each with how it is said")
    tools: tuple[HttpTool, ...] = Field(default=(), description="what a language model may ask besides the documents")
    turns: Turns = Turns()
    limits: Limits = Limits()
    retrieval: Retrieval
    speech_socket: Path
    speech_cache: Key | None = Field(default=None, description="the Redis where voices find what they said before")
    tracing: Tracing | None = None
    ice_servers: tuple[str, ...] = ()
    media_addresses: tuple[str, ...] = Field(
        default=(), description="local addresses offered for media; all when empty"
    )

    def answered_by(self, persona: Persona) -> "BotSettings":
        """The same with another persona, in its language; raises `ValueError` where a provider can't have its voice."""
        code = persona.language
        own = {
            "persona": persona,
            "stt": tuple(each.in_language(code) for each in self.stt),
            "llm": tuple(each.in_language(code) for each in self.llm),
            "tts": tuple(_voiced(each.in_language(code), persona.voices.get(each.provider)) for each in self.tts),
        }
        return self.model_copy(update=own)

    @property
    def words(self) -> Wording:
        """What is said by itself."""
        return self.persona.words

    @property
    def has_vendors(self) -> bool:
        """Whether anything is asked of somebody else than this host."""
        return len(self.stt) + len(self.llm) + len(self.tts) > 3

    @property
    def is_cached(self) -> bool:
        """Whether there is a voice that says again what it said before."""
        return any(each.is_cached for each in self.tts)

    def caching(self, redis_url: str) -> "BotSettings":
        """The same, with this Redis as the cache of voices that have one."""
        return self.model_copy(update={"speech_cache": SecretStr(redis_url)}) if self.is_cached else self

    @property
    def preload(self) -> tuple[str, ...]:
        """The modules that the call's providers, their cache and its tracing need, loaded before bots are forked."""
        tracing = () if self.tracing is None else ("bot.tracing",)
        modules = [name for each in (*self.stt, *self.llm, *self.tts) for name in each.preload]
        cache = ("bot.takes",) if self.is_cached else ()
        return (*dict.fromkeys(modules), *cache, *tracing)

    @property
    def engines(self) -> tuple[Engine, ...]:
        """The recognisers that the speech process has to have for the call's providers, besides its own."""
        return tuple(each.engine for each in self.stt if each.engine)


def _voiced(provider: TTSProvider, voice: str | None) -> TTSProvider:
    return provider if voice is None else type(provider).model_validate({**dict(provider), "voice": voice})
