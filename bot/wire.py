"""What a program and a bot send each other over `WS /api/ingress/audio/ingest`; `docs/audio-ingest.md` explains it.

Binary messages are sound: s16le mono PCM, or one Opus packet each. Text messages are JSON: the caller's are defined
here, the bot's are those of RTVI, as the call page gets them, with the few of ours below.
"""

from enum import IntEnum
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from bot.settings import Frozen

Codec = Literal["pcm", "opus"]
LABEL = "rtvi-ai"
MAX_MESSAGE_BYTES = 65_536
MAX_TEXT_CHARACTERS = 2_000


class SampleRate(IntEnum):
    """The rates, in Hz, of PCM both ways, and of what is encoded as Opus for the caller."""

    NARROWBAND = 8_000
    WIDEBAND = 16_000
    SUPERWIDEBAND = 24_000
    FULLBAND = 48_000


class Close(IntEnum):
    """Why a websocket is closed, where it is not the protocol that says so (1009: a message of more than 16 MB)."""

    ENDED = 1000
    SHUTDOWN = 1001
    ABUSE = 1008
    ERROR = 1011
    BOT_LOST = 1012
    TOO_SLOW = 4408
    REPLACED = 4409
    # Between server and bot only: the caller's end broke, or was closed without a word.
    CALLER_LOST = 4499


class End(Frozen):
    """The caller hangs up."""

    type: Literal["end"]


class Text(Frozen):
    """The caller asks in writing; the answer is spoken."""

    type: Literal["text"]
    text: str = Field(min_length=1, max_length=MAX_TEXT_CHARACTERS)


CallerMessage = Annotated[End | Text, Field(discriminator="type")]
_CALLER_MESSAGE: TypeAdapter[End | Text] = TypeAdapter(CallerMessage)

Fault = Literal["odd_length", "too_large", "undecodable", "too_fast", "not_json", "unknown_message"]
_ADVICE: dict[Fault, str] = {
    "odd_length": "This message ends in the middle of a sample. Send whole samples, two bytes each.",
    "too_large": f"This message has more than {MAX_MESSAGE_BYTES} bytes. Send sound in pieces of 20 ms or so.",
    "undecodable": "This is not an Opus packet. Send one packet a message, without a container.",
    "too_fast": "Sound comes faster than time passes. Send it as it is spoken, at the rate that was agreed.",
    "not_json": "This text is not JSON.",
    "unknown_message": "This message is not known. Send `end`, or `text` with 1 to 2000 characters.",
}


class WireError(Exception):
    """A message that can't be taken; the call goes on without it."""

    def __init__(self, fault: Fault):
        super().__init__(_ADVICE[fault])
        self.fault: Fault = fault

    def to_message(self) -> dict[str, Any]:
        """What the caller is told, as one of RTVI's errors."""
        data = {"code": self.fault, "error": f"{self} The message was dropped.", "fatal": False}
        return {"label": LABEL, "type": "error", "data": data}


def read_text(text: str) -> End | Text:
    """The caller's message; raises `WireError`."""
    try:
        return _CALLER_MESSAGE.validate_json(text)
    except ValidationError as error:
        not_json = any(each["type"] == "json_invalid" for each in error.errors(include_input=False, include_url=False))
        raise WireError("not_json" if not_json else "unknown_message") from None


def ready(*, version: str, pc_id: str, codec: Codec, sample_rate: int) -> dict[str, Any]:
    """The bot's first message on each connection: how to come back to the call, and what its sound is.

    `version` is the RTVI protocol's.
    """
    data = {
        "version": version,
        "about": {"library": "jarvis"},
        "connection": pc_id,
        "codec": codec,
        "sample_rate": int(sample_rate),
    }
    return {"label": LABEL, "type": "bot-ready", "id": pc_id, "data": data}


def interrupted() -> dict[str, Any]:
    """The caller must drop what it has not played yet: no sound of what was interrupted comes after this message."""
    return {"label": LABEL, "type": "bot-interrupted"}


def send_text(text: str, *, message_id: str) -> dict[str, Any]:
    """The caller's text, as RTVI has it."""
    return {"label": LABEL, "type": "send-text", "id": message_id, "data": {"content": text}}
