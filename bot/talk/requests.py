"""What a caller asks about the talk itself, understood by the words alone, whichever language model answers."""

import re
import tomllib
from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from importlib import resources

from bot.wording.table import NAMES, Language

# Longer than any phrase with the words around it; whoever says more says something.
MOST_WORDS = 16


class Request(StrEnum):
    """What is asked for."""

    REPEAT = "repeat"
    SLOWER = "slower"
    FASTER = "faster"
    LOUDER = "louder"
    QUIETER = "quieter"
    SHORTER = "shorter"
    SOURCE = "source"
    SPELL = "spell"
    WAIT = "wait"
    STOP = "stop"
    GOODBYE = "goodbye"


def request_of(text: str, language: Language = "en") -> Request | None:
    """The request that an utterance of a language is, and nothing but that; else None. Takes some microseconds."""
    words = plain(text)
    if words.count(" ") >= MOST_WORDS:
        return None
    found = _phrases(NAMES[language].lower()).fullmatch(words)
    return None if found is None else Request(found.lastgroup or "")


def plain(text: str) -> str:
    """The words of an utterance as phrases have them: in lower case, one space between them."""
    words = re.sub(r"[^\w' ]+", " ", text.lower().replace("’", "'"))
    return re.sub(r"\s+", " ", words).strip()


@cache
def _phrases(file_name: str) -> re.Pattern[str]:
    file = resources.files("bot.talk").joinpath(f"{file_name}.toml")
    told = tomllib.loads(file.read_text(encoding="utf-8"))
    kinds = "|".join(f"(?P<{kind}>{_any(phrases)})" for kind, phrases in told["phrases"].items())
    return re.compile(f"(?:(?:{_any(told['before'])}) )*(?:{kinds})(?: (?:{_any(told['after'])}))*")


def _any(phrases: Iterable[str]) -> str:
    return "|".join(phrase.replace("(", "(?:").replace("'", "['\\ ]?") for phrase in phrases)
