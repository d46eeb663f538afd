"""Digits as words. Nothing here raises, whatever the digits are."""

import re
from functools import lru_cache

from num2words import num2words

# More digits than this are no quantity that anybody follows by ear.
MOST_DIGITS = 12
YEARS = range(1100, 2100)


def cardinal(digits: str, language: str = "en") -> str:
    """A number without sign or separators, with or without a decimal point: "18", "3.50" (three point five zero)."""
    whole, point, part = digits.partition(".")
    if len(whole) > MOST_DIGITS:
        return one_by_one(digits, language)
    said = _said(int(whole or 0), "cardinal", language)
    return f"{said} {POINT.get(language, 'point')} {one_by_one(part, language)}" if point else said


def quantity(digits: str, language: str = "en") -> str:
    """A number as a text has it: long ones, and those that begin with a zero, are names and read digit by digit."""
    whole = digits.partition(".")[0]
    if (len(whole) > 4 and not whole.endswith("000")) or (len(whole) > 1 and whole.startswith("0")):
        return one_by_one(digits, language)
    return cardinal(digits, language)


def ordinal(number: int, language: str = "en") -> str:
    """21: twenty-first."""
    return _said(number, "ordinal", language)


def year(number: int, language: str = "en") -> str:
    """1905: nineteen oh-five."""
    return _said(number, "year", language)


def one_by_one(digits: str, language: str = "en") -> str:
    """Each digit by itself; what is none is left out, but for a point."""
    point = POINT.get(language, "point")
    return " ".join(
        _said(int(c), "cardinal", language) if c.isdecimal() else point for c in digits if c in "0123456789."
    )


def short_or_digits(digits: str, language: str = "en") -> str:
    """Digits of a code or a model's name: up to two as a number (MP3, B12), more digit by digit."""
    if len(digits) <= 2 and not digits.startswith("0"):
        return cardinal(digits, language)
    return one_by_one(digits, language)


POINT = {"en": "point", "de": "Komma", "fr": "virgule", "es": "coma"}
_AND = re.compile(r",|(?<!\w)and\s")


@lru_cache(maxsize=512)
def _said(number: int, how: str, language: str) -> str:
    said = num2words(number, to=how, lang=language)
    # A comma inside a number is heard as a pause, and "and" is for cents.
    return _AND.sub("", said).replace("  ", " ") if language == "en" else said
