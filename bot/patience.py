"""How long a caller is waited for: by what they said last, and by the pauses that they made in this call."""

import re

# What people say while they look for words.
_HESITATIONS = frozenset({"uh", "um", "uhm", "er", "erm", "ah", "hm", "hmm", "mm"})
# What no English sentence ends with, unless it asks.
_OPEN = frozenset({
    "a", "an", "and", "as", "because", "but", "i'd", "i'll", "i'm", "if", "its", "my", "or", "our", "than", "the",
    "their", "whether", "your",
})  # fmt: skip
# Behind these a sentence does not end with "to"; behind others, such as "who do I speak to", it may.
_BEFORE_TO = frozenset({"able", "going", "like", "need", "trying", "want", "wanted", "wants"})
_DIGITS = frozenset({
    "zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "double", "triple",
})  # fmt: skip
# What joins the parts of an address that is dictated, and the words that begin one.
_JOINS = frozenset({"at", "dot", "underscore", "dash", "hyphen", "point", "plus", "slash"})
_ADDRESS = re.compile(r"\be-?mail\b|\baddress is\b|\bunderscore\b", re.IGNORECASE)
_WHOLE_ADDRESS = re.compile(r"(\bat\b|@).*(\bdot\b|\.)\s*[a-z]{2,}\W*$", re.IGNORECASE)
_NAME = re.compile(r"\b(?:my name is|it's spelled|spelled|that's spelled|i am called)\W*$", re.IGNORECASE)
_WORD = re.compile(r"[^\s,;.?!…]+(?:[.@][^\s,;.?!…]+)*")

# A dictated number has at least so many digits in a row, spoken one by one or in groups.
FEWEST_DIGITS = 2
# Of a caller's pauses so many are known before they count.
FEWEST_PAUSES = 2
SHARE = 0.9
# The longest pause that a caller mostly makes may become so much longer.
MARGIN = 1.4
LEAST, MOST = 0.7, 1.8


def is_open(text: str) -> bool:
    """Whether these words, as a recogniser has them, want more: a hesitation, half a sentence, something dictated.

    A question is never open. A dictated number always is: nobody else knows how long it gets.
    """
    text = text.strip()
    words = [word.lower() for word in _WORD.findall(text)]
    if not words:
        return False
    last = words[-1]
    if last in _HESITATIONS or text.endswith(("...", "…", ",", "-")):
        return True
    if text.endswith("?"):
        return False
    if last == "to" and len(words) > 1 and words[-2] in _BEFORE_TO:
        return True
    return last in _OPEN or bool(_NAME.search(text)) or _is_dictated(text, words)


def _is_dictated(text: str, words: list[str]) -> bool:
    if _ADDRESS.search(text):
        return words[-1] in _JOINS or (("at" in words or len(words) > 3) and not _WHOLE_ADDRESS.search(text))
    spelled = 0
    for word in reversed(words):
        if len(word) != 1 or not word.isalpha():
            break
        spelled += 1
    return spelled >= FEWEST_DIGITS or _digits_at_end(words) >= FEWEST_DIGITS


def _digits_at_end(words: list[str]) -> int:
    """How many digits the words end with, where they are said as digits: a price or a year has one group only."""
    groups = [0]
    count = 0
    for word in reversed(words):
        bare = word.replace("-", "")
        if word in _DIGITS:
            count, groups = count + 1, [*groups, 1]
        elif bare.isdigit():
            count, groups = count + len(bare), [*groups, len(bare)]
        else:
            break
    return count if len(groups) > 2 or count > 4 else 0


class Pauses:
    """The pauses that one caller made inside their turns; all in seconds from their last voice to the next."""

    def __init__(self, *, usual_secs: float) -> None:
        self._usual_secs = usual_secs
        self._known: list[float] = []

    def made(self, secs: float) -> None:
        """The caller went on after so long."""
        self._known.append(secs)

    @property
    def longest_secs(self) -> float:
        """After so long a turn is over, whatever the words and the turn analyzer say.

        The usual time at first. Of a caller who mostly makes shorter pauses it becomes less, of one who makes longer
        ones more: 0.7 to 1.8 times the usual.
        """
        if len(self._known) < FEWEST_PAUSES:
            return self._usual_secs
        known = sorted(self._known)
        mostly = known[min(len(known) - 1, int(SHARE * len(known)))]
        # Few pauses say little: each counts with the usual time beside it.
        weight = len(known) / (len(known) + FEWEST_PAUSES)
        wanted = weight * MARGIN * mostly + (1 - weight) * self._usual_secs
        return min(max(max(wanted, MARGIN * mostly), LEAST * self._usual_secs), MOST * self._usual_secs)
