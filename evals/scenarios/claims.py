"""Whether what was said stands in a passage: pure functions of texts."""

import re
from collections.abc import Sequence

from bot.speech.spoken_form import spoken_sentences
from processors import claims

# What names the source, and claims nothing.
_ATTRIBUTION = re.compile(r"^(?:That's|It's|That is) from\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[\"'“(]?[A-Z0-9])|\n+")
_REFUSAL = re.compile(
    r"\b(?:could|can|do|did|does|was|am|is)(?:n['’]t|['’]t| not|not) (?:able to )?"
    r"(?:find|know|have (?:that|any|this|the) (?:information|answer|details?)|look (?:that|things) up|say)\b"
    r"|\b(?:no|without) (?:information|answer)\b|\bnot in (?:our|the|my) documents\b|\bunable to (?:find|answer)\b",
    re.IGNORECASE,
)


def words_spoken(text: str) -> list[str]:
    """The words of a text in lower case, numbers, prices and times as they are spoken."""
    return [word.lower() for sentence in spoken_sentences(text) for word in sentence]


def is_said(wanted: str, said: str) -> bool:
    """Whether these words stand in what was said, one behind the other; numbers count in any form."""
    words, there = words_spoken(wanted), words_spoken(said)
    return any(there[at : at + len(words)] == words for at in range(len(there) - len(words) + 1))


def sentences(said: str) -> list[str]:
    """What was said, without the sentences that name its source."""
    return [each for each in _SENTENCE.split(said.strip()) if each and not _ATTRIBUTION.match(each)]


def refuses(said: str) -> bool:
    """Whether it says that there is no answer."""
    return bool(_REFUSAL.search(said))


def unsupported(said: str, passages: Sequence[str]) -> list[tuple[str, list[str]]]:
    """The sentences whose claims don't all stand in one passage, each with what the best passage lacks of it."""
    return claims.unsupported(sentences(said), passages)
