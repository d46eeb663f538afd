"""What is to be said, and how."""

from typing import Literal

from pydantic import BaseModel, Field

from bot.desk.requests import MAX_TEXT_CHARS, Encoding, SynthesisRequest
from server.rag.fields import example

Format = Literal["wav", "mp3", "opus"]
StreamFormat = Literal["wav", "mp3", "opus", "pcm"]

MEDIA_TYPES: dict[StreamFormat, str] = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "pcm": "audio/pcm;rate=24000;channels=1",
}
ENCODINGS: dict[StreamFormat, Encoding] = {"wav": "pcm", "mp3": "mp3", "opus": "opus", "pcm": "pcm"}


class Speech(BaseModel):
    """A text, and the voice that says it."""

    text: str = Field(min_length=1, max_length=MAX_TEXT_CHARS, pattern=r"\w")
    voice: str | None = Field(
        default=None, min_length=1, max_length=64, description="as the provider names it; that of calls when not set"
    )
    speed: float = Field(default=1.0, ge=0.5, le=2.0, description="times the usual one")

    def to_request(self, encoding: Encoding) -> SynthesisRequest:
        """The same for the desk."""
        return SynthesisRequest(text=self.text, voice=self.voice, speed=self.speed, encoding=encoding)


class SpeechBody(Speech):
    """What is wanted whole."""

    model_config = example(text="The workshop is closed on Sundays.", format="mp3", speed=1.1)

    format: Format = Field(default="wav", description="opus is Ogg; all are mono at 24 kHz")


class SpeechStreamBody(Speech):
    """What is wanted as it is spoken."""

    model_config = example(text="The workshop is closed on Sundays.", format="pcm")

    format: StreamFormat = Field(
        default="wav", description="pcm is raw s16le; a WAV header says that the length is unknown; mono at 24 kHz"
    )
