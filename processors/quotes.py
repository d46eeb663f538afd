"""The sentence of a passage that another one rests on, or that can be said for it."""

import re
from collections.abc import Mapping

_SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?]+(?=\s|\Z)|[.!?](?=\S)[^.!?\n]*)*[.!?]*")
_WORD = re.compile(r"[^\W_]+")
# A sentence of a passage that is said for another shares so much of its words, and is no longer than this.
_NEAR_ENOUGH = 0.15
_LONGEST_WORDS = 60


def best_quote(claim: str, text: str) -> tuple[str, int]:
    """The sentence of `text` that shares the most words with `claim`, and its offset in `text`."""
    best, best_score = (text.strip(), len(text) - len(text.lstrip())), -1.0
    for match in _SENTENCE.finditer(text):
        sentence = match[0].strip()
        if not _WORD.search(sentence):
            continue
        score = _likeness(claim, sentence)
        if score > best_score:
            best, best_score = (sentence, match.start() + len(match[0]) - len(match[0].lstrip())), score
    return best


def stand_in(sentence: str, passages: Mapping[int, str]) -> tuple[int, str] | None:
    """The sentence of these passages that can be said in the place of another about the same, and its passage's number.

    None where none is near, or where the nearest is no whole sentence, or one that is too long to be listened to.
    """
    nearest = {number: " ".join(best_quote(sentence, text)[0].split()) for number, text in passages.items()}
    number = max(nearest, key=lambda each: _likeness(sentence, nearest[each]))
    quote = nearest[number]
    is_sentence = quote.endswith((".", "!", "?")) and "|" not in quote and len(quote.split()) <= _LONGEST_WORDS
    return (number, quote) if is_sentence and _likeness(sentence, quote) >= _NEAR_ENOUGH else None


def _likeness(one: str, other: str) -> float:
    """The share of the words of both that are in both."""
    words, others = set(_WORD.findall(one.lower())), set(_WORD.findall(other.lower()))
    return len(words & others) / max(1, len(words | others))
