"""English prices, measures and other numbers as they are said."""

import re

from bot.reading.english_words import CURRENCIES, FRACTIONS, MAGNITUDES, PER, UNITS, VULGAR
from bot.reading.numerals import YEARS, cardinal, ordinal, quantity, year
from bot.reading.patterns import DASH, NUMBER, Rules, any_of

_TO_PER = rf"(?:\s?/\s?({any_of(PER)})\b)?"
_MAGNITUDE = rf"(?:\s?({any_of(MAGNITUDES)})\b)?"
_FRACTION = r"(?<![\w./])(?:([0-9]+)\s)?([0-9]{1,2})/([0-9]{1,3})(?![\w/]|[.,][0-9])"


def _amount(number: str, magnitude: str | None, currency: str) -> str:
    one, many, hundredth, hundredths = CURRENCIES[currency]
    whole, _, part = number.replace(",", "").partition(".")
    if magnitude:
        return f"{cardinal(number.replace(',', ''))} {MAGNITUDES[magnitude]} {many}"
    if part and (len(part) != 2 or not hundredth):
        return f"{cardinal(f'{whole}.{part}')} {many}"
    said = f"{cardinal(whole)} {one if int(whole) == 1 else many}"
    if not int(part or 0):
        return said
    cents = f"{cardinal(part.lstrip('0'))} {hundredth if int(part) == 1 else hundredths}"
    return f"{said} and {cents}" if int(whole) else cents


def _money(match: re.Match[str]) -> str:
    minus, currency, number, magnitude, number2, magnitude2, per = match.groups()
    said = _amount(number, magnitude, currency.strip())
    if number2:
        said = _range(said, _amount(number2, magnitude2, currency.strip()))
    return ("minus " if minus else "") + said + (f" {_per(per)}" if per else "")


def _money_behind(match: re.Match[str]) -> str:
    number, number2, magnitude, currency, per = match.groups()
    said = _amount(number, magnitude, currency)
    if number2:
        said = _range(said, _amount(number2, magnitude, currency))
    return said + (f" {_per(per)}" if per else "")


def _range(since: str, until: str) -> str:
    """Two amounts, what both are of said once."""
    words, end = since.split(), until.split()
    if "and" not in words and words[-1] == end[-1]:
        words.pop()
    return f"{' '.join(words)} to {until}"


def _per(unit: str) -> str:
    return f"per {PER[unit]}"


def number(digits: str) -> str:
    plain = digits.replace(",", "")
    if "," in digits:
        return cardinal(plain)
    if len(digits) == 4 and digits.isdecimal() and int(digits) in YEARS:
        return year(int(digits))
    return quantity(plain)


def _measure(match: re.Match[str]) -> str:
    number, number2, joint, unit, per = match.groups()
    one, many = UNITS[unit]
    said = cardinal(number.replace(",", ""))
    if number2:
        said += f" to {cardinal(number2.replace(',', ''))}"
    single = (number in ("1", "1.0") and not number2) or joint == "-"
    return f"{said}{'-' if joint == '-' else ' '}{one if single else many}" + (f" {_per(per)}" if per else "")


def _percent(match: re.Match[str]) -> str:
    said = " to ".join(cardinal(each.replace(",", "")) for each in match.groups() if each)
    return f"{said} percent"


def _dotted(match: re.Match[str]) -> str:
    parts = match[0].split(".")
    # The places of a host in a network.
    return (" dot " if len(parts) == 4 else " point ").join(cardinal(part) for part in parts)


def _dimensions(match: re.Match[str]) -> str:
    said = " by ".join(cardinal(each.replace(",", "")) for each in match.group(1, 2, 3) if each)
    return f"{said} {UNITS[match[4]][1]}" if match[4] else said


def _fraction(match: re.Match[str]) -> str:
    whole, above, below = match[1], int(match[2]), int(match[3])
    if not (0 < above < below <= 12):
        return " slash ".join(cardinal(each) for each in match.groups() if each)
    one, many = FRACTIONS.get(below, (ordinal(below), f"{ordinal(below)}s"))
    said = f"{'a' if whole and above == 1 else cardinal(str(above))} {one if above == 1 else many}"
    return f"{cardinal(whole)} and {said}" if whole else said


def _vulgar(match: re.Match[str]) -> str:
    written = f"{match[1]} {VULGAR[match[2]]}" if match[1] else VULGAR[match[2]]
    found = re.match(_FRACTION, written)
    return _fraction(found) if found else written


RULES: Rules = {
    "money": (
        rf"([-\u2212](?=[$£€]))?(?:\b(?:US|CA|AU|A|C))?([$£€¥]|\b(?:USD|EUR|GBP|CHF)\s)\s?({NUMBER}){_MAGNITUDE}"
        rf"(?:{DASH}[$£€¥]?({NUMBER}){_MAGNITUDE})?{_TO_PER}",
        _money,
    ),
    "money_behind": (
        rf"(?<![\w.])({NUMBER})(?:{DASH}({NUMBER}))?{_MAGNITUDE}\s?([£€]|(?:USD|EUR|GBP|CHF)\b){_TO_PER}",
        _money_behind,
    ),
    "percent": (rf"(?<![\w.])({NUMBER})(?:{DASH}({NUMBER}))?\s?%", _percent),
    "dotted": (r"(?<![\w.])[0-9]+(?:\.[0-9]+){2,}(?!\w)", _dotted),
    "dimensions": (
        rf"(?<![\w.])({NUMBER})\s?[x\u00d7]\s?({NUMBER})(?:\s?[x\u00d7]\s?({NUMBER}))?(?:\s?({any_of(UNITS)})(?!\w))?(?!\w)",
        _dimensions,
    ),
    "as_many": (r"(?<!\w)([0-9]{1,3})[x\u00d7](?!\w)", lambda match: f"{cardinal(match[1])} times"),
    "fraction": (_FRACTION, _fraction),
    "vulgar": (rf"(?<!\w)(?:([0-9]+)\s?)?([{''.join(VULGAR)}])", _vulgar),
    "measure": (
        rf"(?<![\w.])({NUMBER})(?:{DASH}({NUMBER}))?([\s-]?)({any_of(UNITS)})(?![\w²³]){_TO_PER}(?:\.(?=\s[a-z]))?",
        _measure,
    ),
    "ordinal": (r"(?<!\w)([0-9]{1,9})(?:st|nd|rd|th)\b", lambda match: ordinal(int(match[1]))),
    "per": (rf"(?<=[0-9])\s?/\s?({any_of(PER)})\b", lambda match: f" {_per(match[1])}"),
}
