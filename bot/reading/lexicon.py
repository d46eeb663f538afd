"""How an operator has words said: a small file, one word a line.

    # The name of the town, and what a voice makes of it.
    Leominster = Lemster
    ebike = e bike

A word in small letters is meant in any case; one with a capital as it is written, so that "IT = I T" leaves "it" alone.
A word may be several ("Larkspur Way"); it is never a part of a longer one.
"""

import re
from collections.abc import Callable

from bot.reading.patterns import any_of

Lexicon = tuple[tuple[str, str], ...]
LONGEST = 200
# Of Unicode's private use: no text has it, and no rule of reading knows it.
_PLACE = "\ue000"


def parsed(text: str) -> Lexicon:
    """The words with how they are said; raises `ValueError` that names each line that is wrong, and why."""
    words: dict[str, str] = {}
    wrong: list[str] = []
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        word, equals, said = (part.strip() for part in line.partition("="))
        if not equals:
            wrong.append(f"line {number}: there is no = between the word and how it is said")
        elif not re.search(r"\w", word):
            wrong.append(f"line {number}: there is no word before the =")
        elif not re.search(r"\w", said):
            wrong.append(f"line {number}: nothing behind the = can be said")
        elif len(word) > LONGEST or len(said) > LONGEST:
            wrong.append(f"line {number}: a word and how it is said have at most {LONGEST} characters each")
        elif word in words:
            wrong.append(f"line {number}: this word was there before")
        else:
            words[word] = said
    if wrong:
        raise ValueError("; ".join(wrong))
    return tuple(words.items())


def sayer(lexicon: Lexicon, read: Callable[[str], str]) -> Callable[[str], str]:
    """Reads a text by `read`, but for the words of the lexicon, which are said as it has them."""
    if not lexicon:
        return read
    exact = {word: said for word, said in lexicon if word != word.lower()}
    small = {word: said for word, said in lexicon if word == word.lower()}
    groups = (f"{case}{any_of(words)})" for case, words in (("(?:", exact), ("(?i:", small)) if words)
    known = re.compile(rf"(?<!\w)(?:{'|'.join(groups)})(?!\w)")

    def say(text: str) -> str:
        said: list[str] = []

        def keep(match: re.Match[str]) -> str:
            said.append(exact.get(match[0]) or small[match[0].lower()])
            return _PLACE

        # The words stand aside while the rest is read, so that nothing that was said is read again.
        kept = known.sub(keep, text.replace(_PLACE, ""))
        if not said:
            return read(text)
        return re.sub(_PLACE, lambda _place: said.pop(0), read(kept))

    return say
