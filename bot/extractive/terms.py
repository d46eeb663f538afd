"""What a question asks about, word by word, and whether a text speaks of it."""

import re
from collections.abc import Collection
from functools import lru_cache
from importlib import resources

import Stemmer

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_FEWEST_FUZZY_CHARACTERS = 4
_LEAST_PART = 0.6
_LEAST_SHARED = 0.65
_FUZZY = 0.8


def _read(name: str) -> str:
    return resources.files("bot.extractive").joinpath(name).read_text(encoding="utf-8")


_STOP_WORDS = frozenset(_read("stop_words.txt").split())


@lru_cache(maxsize=16_384)
def _stem(word: str) -> str:
    return Stemmer.Stemmer("english").stemWord(word)


_SAME = {_stem(word): _stem(line.split()[0]) for line in _read("synonyms.txt").splitlines() for word in line.split()}


def terms(text: str) -> tuple[str, ...]:
    """The words that carry meaning, each once and in order: stemmed, and one name for words that mean the same."""
    found = (word.lower().replace("’", "'").removesuffix("'s") for word in _WORD.findall(text))
    stems = (_stem(word) for word in found if word not in _STOP_WORDS)
    return tuple(dict.fromkeys(_SAME.get(stem, stem) for stem in stems))


def support(term: str, held: Collection[str]) -> float:
    """How surely a text with the terms `held` speaks of a term, 0 to 1; words may be misheard or compounded."""
    return 1.0 if term in held else max((_likeness(term, other) for other in held), default=0.0)


@lru_cache(maxsize=65_536)
def _likeness(one: str, other: str) -> float:
    short, long = sorted((one, other), key=len)
    if len(short) < _FEWEST_FUZZY_CHARACTERS:
        return 0.0
    if short in long and len(short) >= _LEAST_PART * len(long):
        return _FUZZY
    shared = 2 * len(_trigrams(one) & _trigrams(other)) / (len(_trigrams(one)) + len(_trigrams(other)))
    return shared if shared >= _LEAST_SHARED else 0.0


@lru_cache(maxsize=16_384)
def _trigrams(word: str) -> frozenset[str]:
    padded = f"^{word}$"
    return frozenset(padded[i : i + 3] for i in range(len(padded) - 2))
