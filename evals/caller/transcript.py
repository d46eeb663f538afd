"""What the bot says it heard, said and cited, from its messages on the data channel."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError


class Citation(BaseModel):
    """A source that the bot named: the document's title and address, its section, and the words it rests on."""

    model_config = ConfigDict(frozen=True)

    number: int
    title: str
    heading_path: tuple[str, ...] = ()
    quote: str
    source: str


@dataclass(frozen=True)
class Ending:
    """Why the bot's side ended the call, and what it said about it."""

    reason: str
    text: str


@dataclass
class Exchange:
    """One question as the bot heard it, and its answer as it was spoken. The greeting is an answer to nothing."""

    _heard: list[str] = field(default_factory=list)
    _spoken: dict[int, str] = field(default_factory=dict)
    _generated: list[str] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)

    @property
    def heard(self) -> str:
        """The recogniser's final text."""
        return _sentence(self._heard)

    @property
    def said(self) -> str:
        """The words that were spoken; what was generated, if the bot does not report the words it speaks."""
        # A segment is announced before those behind it, but its first word may be told after theirs.
        return _sentence(self._spoken[segment] for segment in sorted(self._spoken)) or _sentence(self._generated)


class Transcript:
    """Sorts a call's messages into exchanges.

    What the bot hears belongs to the latest question as soon as the caller begins it. What it says goes on
    belonging to the exchange before, until it has noticed the caller or the caller has finished. An announced
    `ending` may leave the bot its last words; after `hung_up` nothing more comes.
    """

    def __init__(self) -> None:
        self.exchanges = [Exchange()]
        self.bot_ready = False
        self.bot_speaking = False
        self.bot_thinking = False
        self.ending: Ending | None = None
        self.hung_up = False
        self.notices: list[str] = []
        self.errors: list[str] = []
        self._speaking_in = self.exchanges[0]
        self._segments: dict[int, Exchange] = {}

    def begin_question(self) -> None:
        """The caller begins to speak."""
        self.exchanges.append(Exchange())
        if not self.bot_speaking:
            self.finish_question()

    def finish_question(self) -> None:
        """The caller has finished, or was noticed."""
        self._speaking_in = self.exchanges[-1]

    def receive(self, message: Mapping[str, Any]) -> None:
        """Take one message from the data channel; those that say nothing about the conversation are passed over."""
        data = message.get("data")
        data = data if isinstance(data, Mapping) else {}
        match message.get("type"):
            case "bot-ready":
                self.bot_ready = True
            case "bot-started-speaking":
                self.bot_speaking = True
            case "bot-stopped-speaking":
                self.bot_speaking = False
            case "bot-llm-started":
                self.bot_thinking = True
            case "bot-llm-stopped":
                self.bot_thinking = False
            case "user-started-speaking":
                self.finish_question()
            case "bot-interrupted":
                self.bot_thinking = False
                self.finish_question()
            case "user-transcription" if data.get("final"):
                self.exchanges[-1]._heard.append(_text(data))
            case "bot-output":
                self._receive_output(data)
            case "bot-transcription":
                self._speaking_in._generated.append(_text(data))
            case "server-message":
                self._receive_server_message(data)
            case "error" | "error-response":
                self.errors.append(str(data.get("error", "")))
            case "signalling":
                self._receive_signalling(message.get("message"))

    def _receive_output(self, data: Mapping[str, Any]) -> None:
        progress = data.get("spoken_progress")
        segment_id = data.get("segment_id")
        if isinstance(segment_id, int) and isinstance(progress, Mapping):
            exchange = self._segments.setdefault(segment_id, self._speaking_in)
            exchange._spoken[segment_id] = str(progress.get("accumulated_text", ""))

    def _receive_server_message(self, data: Mapping[str, Any]) -> None:
        match data.get("type"):
            case "citation":
                try:
                    self._speaking_in.citations.append(Citation.model_validate(data))
                except ValidationError:
                    self.errors.append("The bot sent a citation without a number, title, quote or source.")
            case "notice":
                self.notices.append(_text(data))
            case "call_ended" if self.ending is None:
                self.ending = Ending(str(data.get("reason", "")), _text(data))

    def _receive_signalling(self, message: Any) -> None:
        if isinstance(message, Mapping) and message.get("type") == "peerLeft":
            self.hung_up = True
            self.ending = self.ending or Ending("hung_up", "The bot hung up.")


def _text(data: Mapping[str, Any]) -> str:
    return str(data.get("text", ""))


def _sentence(parts) -> str:
    return " ".join(" ".join(parts).split())
