"""The terms that texts are matched by: word stems, groups of four letters, and sounds."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Literal

import Stemmer
from doublemetaphone import doublemetaphone

Leg = Literal["words", "letters", "sounds"]

_WORD = re.compile(r"[^\W_]+")
_LETTERS = 4
# Words that every question is full of and that tell no document from another.
_FILLERS = frozenset(
    (
        "a about an and are as at be been by can could did do does for from had has have he her his how i if in is it "
        "its me my of on or our she so that the their them there they this to was we were what when where which who "
        "why will with would you your"
    ).split()
)
_MIN_SOUNDING = 3


def words(text: str) -> list[str]:
    """Return the words of a text in lower case."""
    return _WORD.findall(text.lower())


def telling_words(text: str) -> list[str]:
    """Return the words without the fillers; all of them where there are only fillers."""
    found = words(text)
    return [word for word in found if word not in _FILLERS] or found


def stems(of_words: Sequence[str]) -> list[str]:
    """Return each word's English stem."""
    return Stemmer.Stemmer("english").stemWords(list(of_words))


def letters(of_words: Sequence[str]) -> list[str]:
    """Return each word's groups of four letters, its beginning and end marked: what a misheard word still shares."""
    return [
        marked[start : start + _LETTERS]
        for marked in (f"^{word}$" for word in of_words)
        for start in range(max(1, len(marked) - _LETTERS + 1))
    ]


def sounds(of_words: Sequence[str]) -> list[str]:
    """Return how each word sounds, and each two in a row together: what one word that was heard as two still shares."""
    single = [code for word in of_words if len(word) >= _MIN_SOUNDING and (code := _sound(word))]
    # A vowel is told only where a word begins.
    return single + [first + second.removeprefix("A") for first, second in pairwise(single)]


TERMS: dict[Leg, Callable[[Sequence[str]], list[str]]] = {"words": stems, "letters": letters, "sounds": sounds}


@lru_cache(50_000)
def _sound(word: str) -> str:
    return doublemetaphone(word)[0]
