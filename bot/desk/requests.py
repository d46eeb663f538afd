"""What the desk is asked, and how much at once."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

RATE_HZ = 16_000
# At which speech is made.
SPEECH_HZ = 24_000
BYTES_PER_SAMPLE = 2
LONGEST_AUDIO_SECS = 3600.0
MAX_TEXT_CHARS = 5_000
MAX_MESSAGES, MAX_MESSAGE_CHARS = 200, 20_000

# Told of speech in another voice than the usual one.
NOT_TO_KEEP = {"Cache-Control": "no-store"}

Encoding = Literal["pcm", "mp3", "opus"]


class AudioForm(BaseModel):
    """How audio is written down."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["auto", "s16le"] = Field(
        default="auto", description="`auto` is a file of a kind that says so itself, `s16le` raw PCM"
    )
    sample_rate: int = Field(default=RATE_HZ, ge=8_000, le=48_000, description="of raw PCM, in Hz")
    channels: int = Field(default=1, ge=1, le=2, description="of raw PCM, interleaved")


class TranscriptionRequest(AudioForm):
    """Query of `POST /transcribe`."""

    longest_secs: float = Field(default=LONGEST_AUDIO_SECS, gt=0, le=LONGEST_AUDIO_SECS)


class SaidMessage(BaseModel):
    """What one side said, or a note to the LLM."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["system", "developer", "user", "assistant"]
    content: Annotated[str, Field(min_length=1, max_length=MAX_MESSAGE_CHARS)]


class CompletionRequest(BaseModel):
    """Body of `POST /complete`; `collection` None asks without documents."""

    model_config = ConfigDict(extra="forbid")

    messages: list[SaidMessage] = Field(min_length=1, max_length=MAX_MESSAGES)
    collection: str | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    temperature: float | None = Field(default=None, ge=0, le=2)


class SynthesisRequest(BaseModel):
    """Body of `POST /synthesize`; `speed` is times the usual one."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=MAX_TEXT_CHARS, pattern=r"\w")
    voice: str | None = Field(default=None, min_length=1, max_length=64)
    speed: float = Field(default=1.0, ge=0.5, le=2.0)
    encoding: Encoding = "pcm"


class WarmRequest(BaseModel):
    """Body of `POST /warm`."""

    model_config = ConfigDict(extra="forbid")

    redis_url: SecretStr
