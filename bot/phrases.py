"""What the bot says by itself, to every caller alike."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from bot.extractive.talk import NOTHING_FOUND, SORRY_NOT_HEARD
from bot.talk.fixed import FIXED
from processors.citations import NOT_CONFIRMED
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


def greeting(settings: BotSettings) -> str:
    """The first words of a call."""
    return settings.persona.spoken_greeting(settings.llm[0].notice)


def spoken_alone(settings: BotSettings) -> dict[str, Kind]:
    """What is said by itself."""
    notices = (GO_ON, STILL_THERE, NOBODY_THERE, ONE_MINUTE, TIME_IS_UP, *FILLERS, *FIXED.values())
    return {greeting(settings): "greeting", NO_ANSWER: "apology", LOST_YOU: "apology", **_notices(notices)}


def _notices(texts: Iterable[str]) -> dict[str, Kind]:
    return dict.fromkeys(texts, "notice")


def in_answers() -> dict[str, Kind]:
    """What is said as a part of an answer, sentence by sentence."""
    apologies = (SORRY_NOT_HEARD, NOTHING_FOUND, NOT_CONFIRMED)
    said: dict[str, Kind] = {ONLY_ME: "notice", SAVING: "notice", **dict.fromkeys(apologies, "apology")}
    return {sentence: kind for text, kind in said.items() for sentence in re.split(r"(?<=[.?!]) ", text)}
