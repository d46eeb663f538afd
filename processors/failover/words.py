"""What is left of a text of which some was said or heard already."""

import re
from collections.abc import Sequence

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_LEADING = " \t\n.,;:!?)]}…–—-\"'”’"
NEAR_CHARACTERS = 60


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, without punctuation."""
    return [match[0].lower() for match in _WORD.finditer(text)]


def place_after(text: str, at: int, spoken: str) -> int:
    """Where `text` goes on once `spoken` was said from `at` on; words that are not found near there don't count."""
    lowered = text.lower()
    for word in words_of(spoken):
        found = re.compile(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])").search(lowered, at, at + NEAR_CHARACTERS)
        if found:
            at = found.end()
    return at


def rest_of(text: str, at: int) -> str:
    """The text from a place on, without the punctuation that ended what was before; empty where no word is left."""
    rest = text[at:]
    if at:
        rest = rest.lstrip(_LEADING)
    return rest if _WORD.search(rest) else ""


def said_again(said: Sequence[str], again: Sequence[str]) -> int:
    """How many words at the beginning of `again` are those of `said`, as another recogniser heard them.

    The beginning of `again` that is nearest to `said` by the fewest words put in, left out or exchanged; among equals
    the one nearest in length.
    """
    row = list(range(len(again) + 1))
    for i, word in enumerate(said, start=1):
        before, row[0] = row[0], i
        for j, other in enumerate(again, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return min(range(len(again) + 1), key=lambda j: (row[j], abs(j - len(said)), -j))


def without_words(text: str, count: int) -> str:
    """A text without its first words."""
    if count <= 0:
        return text
    found = list(_WORD.finditer(text))
    return rest_of(text, found[min(count, len(found)) - 1].end()) if found else ""
