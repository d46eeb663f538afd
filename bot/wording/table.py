"""The sentences of a language."""

import tomllib
from functools import cache
from importlib import resources
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

from processors.naming import ENGLISH, SourceWords

Language = Literal["en", "de", "fr", "es"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
NAMES: dict[Language, str] = {"en": "English", "de": "German", "fr": "French", "es": "Spanish"}


class Wording(BaseModel):
    """All that Jarvis says by itself; english.toml says when."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Language
    greeting: str
    how_can_i_help: str
    no_language_model: str
    no_answer: str
    lost_you: str
    go_on: str
    only_me: str
    saving: str
    not_heard: str
    unavailable: str
    fillers: tuple[str, ...]
    still_there: str
    nobody_there: str
    one_minute: str
    time_is_up: str
    goodbye: str
    take_your_time: str
    all_right: str
    slower: str
    faster: str
    louder: str
    quieter: str
    slowest: str
    fastest: str
    loudest: str
    quietest: str
    no_source: str
    nothing_named: str
    nothing_found: str
    nearest: str
    nothing_asked: str
    welcome: str
    hello: str
    well: str
    nice_to_meet: str
    i_hear_you: str
    who_i_am: str
    source: SourceWords = ENGLISH
    signs: dict[str, str]
    endings: dict[str, str]


@cache
def wording(language: Language) -> Wording:
    """What is said in that language."""
    file = resources.files("bot.wording").joinpath(f"{NAMES[language].lower()}.toml")
    return Wording.model_validate(tomllib.loads(file.read_text(encoding="utf-8")) | {"language": language})
