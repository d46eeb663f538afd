"""What the bot says by itself, to every caller alike."""

from __future__ import annotations

import re
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


def greeting(settings: BotSettings) -> str:
    """The first words of a call."""
    return settings.persona.spoken_greeting(settings.llm[0].notice)


def spoken_alone(settings: BotSettings) -> dict[str, Kind]:
    """What is said by itself."""
    said: dict[str, Kind] = {greeting(settings): "greeting", NO_ANSWER: "apology", LOST_YOU: "apology", GO_ON: "notice"}
    said.update((words, "notice") for words in FIXED.values())
    return said


def in_answers() -> dict[str, Kind]:
    """What is said as a part of an answer, sentence by sentence."""
    said: dict[str, Kind] = {ONLY_ME: "notice", SAVING: "notice", SORRY_NOT_HEARD: "apology", NOTHING_FOUND: "apology"}
    return {sentence: kind for text, kind in said.items() for sentence in re.split(r"(?<=[.?!]) ", text)}
