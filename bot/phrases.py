"""What the bot says by itself, to every caller alike."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from bot.talk.fixed import fixed
from bot.wording.table import Wording
from processors.takes import Kind

if TYPE_CHECKING:
    from bot.settings import BotSettings


@dataclass(frozen=True, slots=True)
class Opening:
    """The first words of a call, and whether they are its last: it came outside of the hours."""

    words: str
    ends: bool = False


def opening_of(settings: BotSettings, *, at: datetime) -> Opening:
    """How a call opens that begins then."""
    outside = settings.persona.outside(at)
    words = settings.persona.first_words(settings.llm[0].notice, outside)
    return Opening(words, ends=outside is not None and outside.then == "end")


def spoken_alone(settings: BotSettings) -> dict[str, Kind]:
    """What is said by itself."""
    persona, notice, words = settings.persona, settings.llm[0].notice, settings.words
    greetings = {persona.first_words(notice, outside) for outside in (None, persona.outside_hours)}
    said: dict[Kind, Iterable[str]] = {
        "greeting": greetings,
        "apology": (words.no_answer, words.lost_you),
        "notice": (
            words.go_on, words.still_there, words.nobody_there, words.one_minute, words.time_is_up, *words.fillers,
            *fixed(words).values(),
        ),
    }  # fmt: skip
    return {text: kind for kind, texts in said.items() for text in texts}


def in_answers(words: Wording) -> dict[str, Kind]:
    """What is said as a part of an answer, sentence by sentence."""
    said: dict[Kind, Iterable[str]] = {
        "notice": (words.only_me, words.saving),
        "apology": (words.not_heard, words.nothing_found, words.source.not_confirmed),
    }
    return {
        sentence: kind for kind, texts in said.items() for text in texts for sentence in re.split(r"(?<=[.?!]) ", text)
    }
