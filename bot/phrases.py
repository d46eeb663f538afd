"""What the bot says by itself, to every caller alike."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from bot.extractive.talk import NOTHING_FOUND, SORRY_NOT_HEARD
from bot.talk.fixed import FIXED
from processors.takes import Kind

if TYPE_CHECKING:
    from bot.settings import BotSettings

NO_ANSWER = "Sorry, I couldn't work out an answer just now. Please ask me again."
LOST_YOU = "Sorry, I lost you for a moment."
GO_ON = "Please go on."
ONLY_ME = "I can't reach the service that usually answers, so I answer in the words of our documents."
SAVING = "To stay within our budget, I now answer in the words of our documents."
STILL_THERE = "Are you still there?"
NOBODY_THERE = "I can't hear you, so I'll hang up now. Goodbye."
ONE_MINUTE = "We have one minute left."
TIME_IS_UP = "Our time is up. Thank you for calling. Goodbye."
# An answer that comes meanwhile waits for the end of one, so they are short.
FILLERS = ("One moment.", "Let me see.", "Just a second.")


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
    notices = (GO_ON, STILL_THERE, NOBODY_THERE, ONE_MINUTE, TIME_IS_UP, *FILLERS, *FIXED.values())
    persona, notice = settings.persona, settings.llm[0].notice
    greetings = {persona.first_words(notice, outside) for outside in (None, persona.outside_hours)}
    return {**dict.fromkeys(greetings, "greeting"), NO_ANSWER: "apology", LOST_YOU: "apology", **_notices(notices)}


def _notices(texts: Iterable[str]) -> dict[str, Kind]:
    return dict.fromkeys(texts, "notice")


def in_answers() -> dict[str, Kind]:
    """What is said as a part of an answer, sentence by sentence."""
    said: dict[str, Kind] = {ONLY_ME: "notice", SAVING: "notice", SORRY_NOT_HEARD: "apology", NOTHING_FOUND: "apology"}
    return {sentence: kind for text, kind in said.items() for sentence in re.split(r"(?<=[.?!]) ", text)}
