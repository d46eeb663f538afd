"""The quantities that a sentence states, in one form each: "two weeks" is 14 days, "1.5 hours" is 90 minutes."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_WORDS = {word: i for i, word in enumerate(_SMALL)} | {word: 10 * i for i, word in enumerate(_TENS, start=2)}
_SCALES = {"dozen": 12, "hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_MONTHS: Sequence[str] = "january february march april may june july august september october november december".split()
_ORDINALS: Sequence[str] = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth twenty-first twenty-second twenty-third twenty-fourth "
    "twenty-fifth twenty-sixth twenty-seventh twenty-eighth twenty-ninth thirtieth thirty-first"
).split()

# Unit word → the unit it is counted in, and how many of those it is. Months are no fixed number of days.
_DURATIONS = {
    "second": ("minute", 1 / 60), "minute": ("minute", 1), "min": ("minute", 1), "hour": ("minute", 60),
    "day": ("day", 1), "night": ("night", 1), "week": ("day", 7), "fortnight": ("day", 14),
    "month": ("month", 1), "year": ("month", 12), "decade": ("month", 120), "century": ("month", 1200),
}  # fmt: skip
_MEASURES = {
    "inch": ("metre", 0.0254), "foot": ("metre", 0.3048), "feet": ("metre", 0.3048), "yard": ("metre", 0.9144),
    "mile": ("metre", 1609.344), "centimeter": ("metre", 0.01), "cm": ("metre", 0.01), "meter": ("metre", 1),
    "metre": ("metre", 1), "kilometer": ("metre", 1000), "kilometre": ("metre", 1000), "km": ("metre", 1000),
    "ounce": ("kilogram", 0.0283495), "pound": ("kilogram", 0.453592), "lb": ("kilogram", 0.453592),
    "gram": ("kilogram", 0.001), "kilogram": ("kilogram", 1), "kilo": ("kilogram", 1), "kg": ("kilogram", 1),
    "ton": ("kilogram", 1000), "tonne": ("kilogram", 1000), "hectare": ("hectare", 1), "acre": ("hectare", 0.404686),
    "liter": ("litre", 1), "litre": ("litre", 1), "gallon": ("litre", 3.78541), "degree": ("degree", 1),
    "mph": ("mph", 1), "watt": ("watt", 1), "kw": ("watt", 1000), "volt": ("volt", 1), "psi": ("psi", 1),
    "gb": ("gb", 1), "mb": ("gb", 0.001), "token": ("token", 1),
}  # fmt: skip
_CURRENCIES = {
    "$": "dollar", "€": "euro", "£": "pound sterling", "dollar": "dollar", "usd": "dollar", "euro": "euro",
    "eur": "euro", "cent": "cent", "buck": "dollar",
}  # fmt: skip

_WORD_NUMBER = rf"(?:{'|'.join((*_WORDS, *_SCALES))})"
# "An hour" is one; "a second" is more often the next one.
_ONE = rf"an?\s(?:{'|'.join(_SCALES)})\b|an?(?=\s(?:{'|'.join(unit for unit in _DURATIONS if unit != 'second')})\b)"
_POINT = rf"(?:\spoint(?:\s(?:{'|'.join(_SMALL[:10])})\b)+)?"
_BETWEEN = r"(?:(?:(?<=hundred)|(?<=thousand)|(?<=million))\sand)?[\s-]"
_NUMBER = (
    rf"(?:\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?(?:\s(?:{'|'.join(_SCALES)})\b)?"
    rf"|(?:(?:a|one) half|half an?|{_ONE}|{_WORD_NUMBER}\b(?:{_BETWEEN}{_WORD_NUMBER}\b)*{_POINT}))"
)
_RANGE = rf"(?P<low>{_NUMBER})(?:\s?(?:to|or|and|[-–])\s?(?P<high>{_NUMBER}))?"
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})"
_DAY = rf"(?:the\s)?(?P<day>\d{{1,2}}(?:st|nd|rd|th)?|{'|'.join(reversed(_ORDINALS))})"
_PART_OF_DAY = r"(?:in\sthe\s(?P<part>morning|afternoon|evening)|at\snight)"


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


_DATES = (
    _pattern(r"\b(?P<year>\d{4})-(?P<iso>\d\d)-(?P<day>\d\d)\b"),
    _pattern(rf"\b{_DAY}\s(?:of\s)?{_MONTH}\b(?:,?\s(?P<year>\d{{4}})\b)?"),
    _pattern(rf"\b{_MONTH}\s{_DAY}(?!\d)\b(?:,?\s(?P<year>\d{{4}})\b)?"),
    _pattern(rf"\b{_MONTH},?\s(?P<year>\d{{4}})\b"),
    _pattern(r"\b(?:in|since|from|until|by|of|before|after|during|year|around)\s(?P<year>1[5-9]\d\d|20\d\d)\b"),
)
_CLOCKS = (
    _pattern(r"\b(?P<word>noon|midnight)\b"),
    _pattern(rf"\b(?P<past>half|quarter)\s(?P<side>past|to)\s(?P<hour>{_NUMBER})(?:\s(?:o'clock|{_PART_OF_DAY}))?"),
    _pattern(rf"\b(?P<hour>\d{{1,2}}):(?P<minute>\d\d)(?:\s?(?P<half>[ap])\.?m\b\.?|\s{_PART_OF_DAY})?"),
    _pattern(rf"\b(?P<hour>{_NUMBER})(?:\s?(?P<half>[ap])\.?m\b\.?|(?:\so'clock)?\s{_PART_OF_DAY})"),
    _pattern(rf"\b(?P<hour>{_NUMBER})\so'clock"),
)
_MONEY = (
    _pattern(r"(?P<unit>[$€£])\s?(?P<low>\d[\d,]*(?:\.\d+)?)(?:\s?(?:to|[-–])\s?[$€£]?(?P<high>\d[\d,]*(?:\.\d+)?))?"),
    _pattern(rf"\b{_RANGE}\s(?P<unit>dollar|euro|cent|buck|usd|eur)s?\b"),
)
_PERCENT = _pattern(rf"\b{_RANGE}\s?(?:%|percent\b|per\scent\b)")
_DURATION = _pattern(
    rf"\b{_RANGE}[\s-](?P<working>(?:working|business)\s)?(?P<unit>{'|'.join(_DURATIONS)})(?:s|es)?\b"
    r"(?P<more>\sand\sa\shalf)?(?!\sold)"
)
_AGE = _pattern(rf"\b{_RANGE}[\s-](?P<unit>year|month)s?[\s-](?:old|of\sage)\b")
_MEASURE = _pattern(rf"\b{_RANGE}[\s-]?(?P<unit>{'|'.join(sorted(_MEASURES, key=len, reverse=True))})(?:s|es)?\b")
_COUNT = _pattern(rf"\b{_RANGE}(?:\s(?!to\b|or\b|and\b|in\b|of\b|at\b|on\b|from\b|is\b|are\b)(?P<unit>[a-z]{{3,}}))?")
# Most sentences have none of these, and state nothing in numbers.
_STATES = _pattern(rf"\d|\b(?:{'|'.join((*_WORDS, *_SCALES, *_MONTHS))}|half|quarter|noon|midnight|{_ONE})\b")


class Kind(StrEnum):
    """What a quantity measures."""

    MONEY = "money"
    PERCENT = "percent"
    DURATION = "duration"
    AGE = "age"
    MEASURE = "measure"
    CLOCK = "clock"
    DATE = "date"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Quantity:
    """One stated quantity: `value` is counted in `unit`, and `start` to `end` are its characters in the sentence.

    A clock's value is in minutes from midnight. A date's value is its ISO form, "2025-05-03", with what was not said
    left out: "--05-03", "2025-05", "2025". A count's unit is the word behind the number, empty where there is none.
    """

    kind: Kind
    value: float | str
    unit: str
    start: int
    end: int


def quantities(text: str) -> list[Quantity]:
    """Return what a sentence states in numbers, in its order; a range gives both its ends."""
    if not _STATES.search(text):
        return []
    taken = [False] * len(text)
    found: list[Quantity] = []
    for pattern, read in _READERS:
        for match in pattern.finditer(text):
            if not any(taken[match.start() : match.end()]) and (read_ones := list(read(match))):
                found += read_ones
                taken[match.start() : match.end()] = [True] * (match.end() - match.start())
    return sorted(found, key=lambda quantity: quantity.start)


def number(text: str) -> float:
    """Return the value of a number in digits or in words; raises ValueError when it is none."""
    words = text.lower().replace("-", " ").replace(",", "").split()
    if "half" in words:
        return 0.5
    if "point" in words:
        at = words.index("point")
        return float(f"{number(' '.join(words[:at])):g}.{''.join(str(_WORDS[word]) for word in words[at + 1 :])}")
    total, part = 0.0, 0.0
    for word in words:
        if word in ("a", "an"):
            part = 1.0
        elif word in _SCALES:
            part = max(part, 1.0) * _SCALES[word]
            if _SCALES[word] >= 1_000:
                total, part = total + part, 0.0
        elif word != "and":
            part += _WORDS[word] if word in _WORDS else float(word)
    return total + part


def _spans(match: re.Match[str], kind: Kind, unit: str, factor: float, more: float = 0.0) -> Iterator[Quantity]:
    for name in ("low", "high"):
        if match[name]:
            value = round((number(match[name]) + more) * factor, 4)
            yield Quantity(kind, value, unit, match.start(), match.end())


def _date(match: re.Match[str]) -> Iterator[Quantity]:
    parts = match.groupdict()
    if parts.get("month") == "may":
        return
    day, month = parts.get("day"), parts.get("iso")
    if parts.get("month"):
        month = f"{_MONTHS.index(match['month'].lower()) + 1:02}"
    if day:
        lower = day.lower()
        day = _ORDINALS.index(lower) + 1 if lower in _ORDINALS else int(re.sub(r"\D", "", day))
        if not 1 <= day <= 31:
            return
    value = "-".join(part for part in (parts.get("year") or "-", month, day and f"{day:02}") if part)
    yield Quantity(Kind.DATE, value, "", match.start(), match.end())


def _clock(match: re.Match[str]) -> Iterator[Quantity]:
    parts = match.groupdict()
    if word := parts.get("word"):
        yield Quantity(Kind.CLOCK, 720.0 if word.lower() == "noon" else 0.0, "minute", match.start(), match.end())
        return
    hour, minute = number(match["hour"]), float(parts.get("minute") or 0)
    if hour != int(hour) or hour > 24:
        return
    if past := parts.get("past"):
        minute = (30 if past.lower() == "half" else 15) * (1 if match["side"].lower() == "past" else -1)
    half, part = (parts.get("half") or "").lower(), (parts.get("part") or "").lower()
    is_late = half == "p" or part in ("afternoon", "evening") or match[0].lower().endswith("at night")
    hour = hour % 12 + 12 if is_late else 0 if hour == 12 and (half or part) else hour
    yield Quantity(Kind.CLOCK, hour * 60 + minute, "minute", match.start(), match.end())


def _money(match: re.Match[str]) -> Iterator[Quantity]:
    unit = _CURRENCIES[match["unit"].lower()]
    yield from _spans(match, Kind.MONEY, "dollar" if unit == "cent" else unit, 0.01 if unit == "cent" else 1)


def _duration(match: re.Match[str]) -> Iterator[Quantity]:
    unit, factor = _DURATIONS[match["unit"].lower()]
    more = 0.5 if match["more"] else 0.0
    yield from _spans(match, Kind.DURATION, f"working {unit}" if match["working"] else unit, factor, more)


def _age(match: re.Match[str]) -> Iterator[Quantity]:
    unit, factor = _DURATIONS[match["unit"].lower()]
    yield from _spans(match, Kind.AGE, unit, factor)


def _measure(match: re.Match[str]) -> Iterator[Quantity]:
    unit, factor = _MEASURES[match["unit"].lower()]
    yield from _spans(match, Kind.MEASURE, unit, factor)


def _count(match: re.Match[str]) -> Iterator[Quantity]:
    unit = (match["unit"] or "").lower()
    if unit or match[0].lower() != "one":
        yield from _spans(match, Kind.COUNT, unit, 1)


_READERS = (
    *((pattern, _date) for pattern in _DATES),
    *((pattern, _clock) for pattern in _CLOCKS),
    *((pattern, _money) for pattern in _MONEY),
    (_PERCENT, lambda match: _spans(match, Kind.PERCENT, "percent", 1)),
    (_AGE, _age),
    (_DURATION, _duration),
    (_MEASURE, _measure),
    (_COUNT, _count),
)
