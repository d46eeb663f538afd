"""Whether a sentence stands in a passage: its numbers, its names, and what it denies. Rules alone, no model.

A false alarm costs a caller a true answer, so what these rules can't tell passes.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from knowledge.quantities import Kind, Quantity, number, quantities
from knowledge.terms import stems
from processors.failover.words import words_of

Fault = Literal["number", "name", "negation"]

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[\"'“(]?[A-Z0-9])|\n+")
_COUNTED = re.compile(r"\s*(?:\d{1,2}[.)]|[-*•])\s+")
_NAME = re.compile(r"[A-Z][\w’'&-]*")
_NO_NAME = re.compile(r"(?:I(?:['’]\w+)?|OK|AM|PM|ID|FAQ|NOT|NO|ALL|ONLY|MUST|DO|Mrs?|Ms|Dr)$")
_DATE = re.compile(r"(?P<year>\d{4})?-?(?:-?(?P<month>\d\d))?(?:-(?P<day>\d\d))?$")
# A telephone number, or another that is told digit by digit.
_LONG_NUMBER = re.compile(r"\+?\d(?:[\s().-]?\d){6,}|\d[\d().]*(?:[\s-]+\d[\d().]*){2,}")
_DIGIT_WORDS = {
    word: str(value)
    for value, word in enumerate(("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"))
} | {"oh": "0"}
_DIGIT = "|".join(_DIGIT_WORDS)
_SPELLED_NUMBER = re.compile(rf"\b(?:{_DIGIT})(?:[\s,-]+(?:{_DIGIT})){{3,}}\b", re.IGNORECASE)
_ALWAYS = re.compile(r"\b(?:24/7|twenty-four[\s-]seven|(?:7|seven) days a week)\b", re.IGNORECASE)
_ORDINAL = ("st", "nd", "rd", "th")
_BEGINNINGS = frozenset(':.!?…\n"“(–—')
# "Eighteen fifty", "nine thirty", "nineteen ninety-eight": two numbers that are said as one.
_TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_TEENS = "ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
_UNITS = "one|two|three|four|five|six|seven|eight|nine"
_TWO_DIGITS = rf"(?:(?:{_TENS})(?:[\s-](?:{_UNITS}))?|{_TEENS})"
_PAIR = re.compile(
    rf"\b(?P<high>{_UNITS}|{_TEENS}|(?:{_TENS})(?:[\s-](?:{_UNITS}))?)[\s-](?P<low>{_TWO_DIGITS}|oh[\s-](?:{_UNITS}))\b",
    re.IGNORECASE,
)
_PART_OF_DAY = re.compile(r"[ap]\.?m\b|morning|afternoon|evening|night|noon", re.IGNORECASE)
_HALF_A_DAY, _DAY = 720.0, 1440.0  # minutes
# "Three ways", "two options": how many a sentence names of what it calls so itself.
_SMALL_COUNT = 5

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKDAY_OF = {day[:length]: day for day in _WEEKDAYS for length in (3, 4, 5)}
_WEEKDAY = rf"({'|'.join(_WEEKDAYS)})s?"
_DAYS_BETWEEN = re.compile(rf"\b{_WEEKDAY}\s*(?:to|through|until|till|and|[-–—])\s*{_WEEKDAY}\b", re.IGNORECASE)
_ALL_DAYS = re.compile(r"\b(?:daily|(?:every|each|any|all) (?:day|week)|(?:seven|7) days|week(?:day|end)s?)\b", re.I)

# Words that tell English from languages that write other words with a capital, too.
_ENGLISH = frozenset("the you your is are and of to for we our it with at can be from they this that by".split())
_DENIES = re.compile(r"\b(?:not|no|never|cannot|without|neither|nor|none|nothing|closed|unable)\b|n['’]t\b", re.I)
_SAYS_NO_MATTER = frozenset(
    "a an the is are be was were do does did has have it we you your our on in at to of and or with for that this not "
    "no never cannot can will without neither nor none nothing closed open unable".split()
)
_REPLY = re.compile(r"\A\s*(?:yes|no|sure|right|sorry|unfortunately)[,.!]\s+", re.IGNORECASE)
_SAME_WORDS = 0.85
_FEWEST_WORDS = 2


@dataclass(frozen=True, slots=True)
class Claim:
    """A number or a name as it was said, `words` being how; `digits` are those of a number told digit by digit."""

    words: str
    quantity: Quantity | None = None
    digits: str = ""

    @property
    def fault(self) -> Fault:
        """What it is where it stands nowhere."""
        return "number" if self.quantity or self.digits else "name"


class Evidence:
    """A text that claims may stand in; it is read once, as far as it is asked about."""

    def __init__(self, text: str):
        self.text = text
        self._names = _name_words(words_of(text)) | set(_days(text))
        self._running = f" {' '.join(words_of(text))} "
        self._digits: str | None = None
        self._quantities: list[tuple[Quantity, str]] | None = None
        self._sentences: list[tuple[frozenset[str], bool]] | None = None

    def has(self, claim: Claim) -> bool:
        """Whether a claim stands in it."""
        words = words_of(claim.words)
        if claim.digits:
            self._digits = re.sub(r"\D", "", self.text) if self._digits is None else self._digits
            return claim.digits in self._digits
        if claim.quantity is None:
            # Of "e-bike" and "U.S." what is left of a letter says nothing.
            named = (word for word in words if len(word) > 1)
            return all(_name_words([word]) <= self._names or _WEEKDAY_OF.get(word) in self._names for word in named)
        if self._quantities is None:
            parts = _SENTENCE.split(self.text)
            self._quantities = [(each, part[each.start : each.end]) for part in parts for each in _quantities(part)]
        return any(_same(claim, *each) for each in self._quantities) or self._is_of_the_sentence(claim)

    def denies(self, sentence: str) -> bool:
        """Whether one of its sentences says the same in the same words, but for one that denies it."""
        if self._sentences is None:
            self._sentences = [_gist(each) for each in _SENTENCE.split(self.text)]
        said, denied = _gist(_REPLY.sub("", sentence, count=1))
        best, opposite = 0.0, False
        for there, is_denied in self._sentences:
            if len(said) >= _FEWEST_WORDS and (both := len(said & there) / len(said | there)) > best:
                best, opposite = both, is_denied != denied
        return opposite and best >= _SAME_WORDS

    def _is_of_the_sentence(self, claim: Claim) -> bool:
        """Whether it counts, in words, what the passage has no word for."""
        quantity = claim.quantity
        return (
            quantity is not None
            and quantity.kind is Kind.COUNT
            and isinstance(quantity.value, float)
            and quantity.value <= _SMALL_COUNT
            and not re.search(r"\d", claim.words)
            and f" {quantity.unit.removesuffix('s')}" not in self._running
        )


@lru_cache(64)
def evidence(text: str) -> Evidence:
    """The text as evidence; that of the last texts is kept."""
    return Evidence(text)


def claims_of(sentence: str) -> list[Claim]:
    """The quantities of a sentence and the names in it; what it begins with is no name by its capital alone."""
    lead = _COUNTED.match(sentence)
    long = [*_LONG_NUMBER.finditer(sentence), *_SPELLED_NUMBER.finditer(sentence)]
    claims = [Claim(match[0], digits=_digits_of(match[0])) for match in long]
    left_out = [match.span() for match in (*long, *_ALWAYS.finditer(sentence), *([lead] if lead else []))]
    stated = [each for each in _quantities(sentence) if not _overlaps((each.start, each.end), left_out)]
    claims += [Claim(sentence[each.start : each.end], each) for each in stated if not _is_place(each, sentence)]
    spans = [(each.start, each.end) for each in stated]
    for match in _NAME.finditer(sentence):
        before = sentence[lead.end() if lead else 0 : match.start()].rstrip(" *_'")
        begins = not before or before[-1] in _BEGINNINGS
        if not begins and not _overlaps(match.span(), spans) and not _NO_NAME.match(match[0]):
            claims.append(Claim(match[0]))
    return claims


def lacking(sentence: str, passages: Iterable[Evidence]) -> list[Claim]:
    """The claims of a sentence that stand in none of these."""
    there = tuple(passages)
    return [claim for claim in claims_of(sentence) if not any(each.has(claim) for each in there)]


def faults(sentence: str, passages: Sequence[Evidence], *, known: Evidence) -> set[Fault]:
    """What of a sentence does not stand in the passages that it cites, together.

    `known` is what else it may name: the caller's words and the bot's instructions. A number of the caller's passes
    where the sentence denies it, or states one of the passages' beside it.
    """
    found: set[Fault] = set()
    claims = claims_of(sentence)
    missing = [claim for claim in claims if not any(each.has(claim) for each in passages)]
    is_english = not _ENGLISH.isdisjoint(words_of(sentence))
    numbers = [claim for claim in claims if claim.fault == "number"]
    wrong = [claim for claim in missing if claim.fault == "number"]
    may_repeat = len(wrong) < len(numbers) or bool(_DENIES.search(sentence))
    if any(not (may_repeat and known.has(claim)) for claim in wrong):
        found.add("number")
    if is_english and any(claim.fault == "name" and not known.has(claim) for claim in missing):
        found.add("name")
    if any(each.denies(sentence) for each in passages):
        found.add("negation")
    return found


def unsupported(sentences: Iterable[str], passages: Sequence[str]) -> list[tuple[str, list[str]]]:
    """The sentences whose claims don't all stand in one passage, each with what the best passage lacks of it."""
    found: list[tuple[str, list[str]]] = []
    for sentence in sentences:
        lacks = [lacking(sentence, [evidence(passage)]) for passage in passages]
        best = min(lacks, key=len, default=claims_of(sentence))
        if best:
            found.append((sentence, [claim.words for claim in best]))
    return found


def _is_place(quantity: Quantity, sentence: str) -> bool:
    """Whether it is the place in an order: "the 1st of each month"."""
    return quantity.kind is Kind.COUNT and sentence.startswith(_ORDINAL, quantity.end)


def _overlaps(span: tuple[int, int], others: Iterable[tuple[int, int]]) -> bool:
    return any(start < span[1] and span[0] < end for start, end in others)


def _digits_of(text: str) -> str:
    return "".join(_DIGIT_WORDS.get(word, re.sub(r"\D", "", word)) for word in words_of(text))


def _quantities(text: str) -> list[Quantity]:
    """Those of a sentence; "18 dollars and 50 cents" is one."""
    merged: list[Quantity] = []
    for each in quantities(text):
        last = merged[-1] if merged else None
        if (
            last is not None
            and last.kind is each.kind is Kind.MONEY
            and isinstance(last.value, float)
            and isinstance(each.value, float)
            and each.value < 1
            and re.fullmatch(r"\s*and\s*", text[last.end : each.start])
        ):
            merged[-1] = Quantity(Kind.MONEY, round(last.value + each.value, 2), last.unit, last.start, each.end)
        else:
            merged.append(each)
    return merged


def _name_words(words: Iterable[str]) -> set[str]:
    """Words as names are compared: without the ending of a possessive or a plural."""
    return {re.sub(r"['’]s?$", "", word).removesuffix("s") for word in words}


def _days(text: str) -> Iterator[str]:
    """The days of a week that a text names by their first and their last."""
    if _ALL_DAYS.search(text):
        yield from _WEEKDAYS
    for match in _DAYS_BETWEEN.finditer(text):
        first, last = (_WEEKDAYS.index(day.lower()) for day in match.groups())
        yield from (_WEEKDAYS * 2)[first : last + 1 if last >= first else last + 8]


def _gist(sentence: str) -> tuple[frozenset[str], bool]:
    """The stems of a sentence that say what it is about, and whether it denies that."""
    denied = len(_DENIES.findall(sentence)) % 2 == 1
    words = [word for word in words_of(re.sub(r"n['’]t\b", " not", sentence)) if word not in _SAYS_NO_MATTER]
    return frozenset(stems(words)), denied


def _same(claim: Claim, written: Quantity, as_written: str) -> bool:
    said = claim.quantity
    if said is None:
        return False
    if said.kind is Kind.DATE and written.kind is Kind.DATE:
        return _is_part(str(said.value), str(written.value))
    if Kind.DATE in (said.kind, written.kind):
        return _year(said) == _year(written) or _in_pairs(claim.words, written)
    if written.kind is Kind.CLOCK and said.kind in (Kind.CLOCK, Kind.COUNT):
        return _same_hour(claim, written, as_written) or _in_pairs(claim.words, written)
    if said.kind is Kind.CLOCK and written.kind is Kind.COUNT:
        return said.value in (_minutes(written), _minutes(written, late=True))
    if Kind.COUNT in (said.kind, written.kind):
        # A bare number may be of anything: "18" in a table whose head says dollars.
        return said.value == written.value or _in_pairs(claim.words, written)
    if said.kind is written.kind is Kind.DURATION and {said.unit, written.unit} == {"minute", "day"}:
        return _in_minutes(said) == _in_minutes(written)
    same = said.value == written.value or _in_pairs(claim.words, written)
    return same and (said.kind, said.unit) == (written.kind, written.unit)


def _year(quantity: Quantity) -> str:
    return quantity.value if isinstance(quantity.value, str) else f"{quantity.value:g}"


def _in_minutes(duration: Quantity) -> float:
    return float(duration.value) * (_DAY if duration.unit == "day" else 1)


def _minutes(count: Quantity, *, late: bool = False) -> float:
    return float(count.value) * 60 + (_HALF_A_DAY if late else 0)


def _same_hour(claim: Claim, written: Quantity, as_written: str) -> bool:
    """Whether two times of day can be one; where only one says which half of the day it is in, that is left open."""
    said = claim.quantity
    if said is None or isinstance(said.value, str) or isinstance(written.value, str):
        return False
    at = _minutes(said) if said.kind is Kind.COUNT else said.value
    if _PART_OF_DAY.search(claim.words) and _PART_OF_DAY.search(as_written):
        return at == written.value
    return at % _HALF_A_DAY == written.value % _HALF_A_DAY


def _in_pairs(words: str, written: Quantity) -> bool:
    """Whether what is said in two numbers, as "eighteen fifty" or "nineteen ninety-eight", is written as one."""
    pair = _PAIR.search(words)
    if pair is None:
        return False
    high, low = number(pair["high"]), number(re.sub(r"(?i)oh[\s-]", "", pair["low"]))
    if written.kind is Kind.CLOCK:
        return (high * 60 + low) % _HALF_A_DAY == float(written.value) % _HALF_A_DAY
    if written.kind is Kind.DATE:
        return str(written.value) == f"{high:.0f}{low:02.0f}"
    return float(written.value) in (round(high + low / 100, 2), high * 100 + low)


def _is_part(said: str, written: str) -> bool:
    """Whether a date says nothing else than another, and no part that the other leaves open."""
    one, other = _DATE.match(said), _DATE.match(written)
    if one is None or other is None:
        return said == written
    return all(value is None or value == other[name] for name, value in one.groupdict().items())
