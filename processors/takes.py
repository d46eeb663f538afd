"""What a voice said once, to be said again. Knows no frames, so that whoever counts or stores it need not load them."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from pydantic import BaseModel

Kind = Literal["greeting", "apology", "notice", "answer", "other"]
ANSWER: Kind = "answer"
OTHER: Kind = "other"


@dataclass(frozen=True, slots=True)
class Word:
    """A word, and the seconds from the first sound at which it begins; `spaced` where it brings its own spaces."""

    text: str
    secs: float
    spaced: bool = False


@dataclass(frozen=True, slots=True)
class Take:
    """A text as a voice spoke it: PCM, s16le, mono; without words where the voice doesn't tell their times."""

    pcm: bytes
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a take is kept: the hash of all that makes it what it is, and whether every caller hears this text."""

    digest: str
    common: bool


class TakeStore(Protocol):
    """Keeps takes. Neither raises, nor takes longer than a listener would notice."""

    async def find(self, place: Place) -> Take | None: ...
    async def keep(self, place: Place, take: Take) -> None: ...


@dataclass(frozen=True, slots=True)
class VoiceCache:
    """What a voice needs to say again what was said before.

    `phrases` are the texts that every caller hears, as a voice is given them, with their kinds; `voice` is all that the
    settings say of the voice, without its keys. `report` is told of each text that was looked for: `speech_cache` with
    its `result` (`hit`, `miss`), the `kind` of phrase, and its `characters`.
    """

    takes: TakeStore
    phrases: Mapping[str, Kind]
    report: Callable[[dict[str, Any]], None]
    voice: str = ""

    def kind(self, text: str, *, alone: bool) -> Kind:
        """What sort of phrase a text is; `alone` where it is no part of an answer."""
        return self.phrases.get(text.strip(), OTHER if alone else ANSWER)

    def place(self, text: str, *, kind: Kind, settings: Mapping[str, Any], rate_hz: int) -> Place:
        """Where the take of this text is, as it goes to the voice: another for each setting, rate and character."""
        said = json.dumps([self.voice, settings, rate_hz, text], sort_keys=True, default=_plain)
        return Place(hashlib.sha256(said.encode()).hexdigest(), common=kind not in (ANSWER, OTHER))


def _plain(value: object) -> object:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)
