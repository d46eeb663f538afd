"""Days as people and programs write them."""

import re
from datetime import date

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"(?P<month>(?:{'|'.join(_MONTHS)})[a-z]*)\.?"
_YEAR = r"(?P<year>(?:19|20|21)\d\d)"
_DAY = r"(?P<day>\d{1,2})"
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"{_YEAR}(?P<mark>[-/.])(?P<month>\d{{1,2}})(?P=mark){_DAY}(?!\d)",
        rf"{_YEAR}(?P<month>\d\d)(?P<day>\d\d)(?!\d)",
        rf"{_YEAR}-(?P<month>\d\d)$",
        # Only with dots, the day surely comes before the month.
        rf"{_DAY}\.\s?(?P<month>\d{{1,2}})\.\s?{_YEAR}\b",
        rf"(?:[a-z]+,?\s+)?{_DAY}(?:st|nd|rd|th)?\.?[\s-]+(?:of\s+)?{_MONTH},?[\s-]+{_YEAR}\b",
        rf"(?:[a-z]+,\s+)?{_MONTH}\s+{_DAY}(?:st|nd|rd|th)?,?\s+{_YEAR}\b",
        rf"{_MONTH},?\s+{_YEAR}$",
    )
)
_EITHER_ORDER = re.compile(rf"(\d{{1,2}})(?P<mark>[-/])(\d{{1,2}})(?P=mark){_YEAR}\b")


def parse_date(words: str) -> date | None:
    """Return the day that words begin with, whatever time follows; None when it is unclear.

    A month alone is its first day. `25/12/2025` is read and `3/5/2025`, which is May or March, is not.
    """
    words = words.strip().strip("\"'").strip()
    for form in _FORMS:
        if match := form.match(words):
            month = match["month"].lower()
            number = int(month) if month.isdigit() else _MONTHS.index(month[:3]) + 1
            return _day(match["year"], number, int(match.groupdict().get("day") or 1))
    if match := _EITHER_ORDER.match(words):
        first, second = int(match[1]), int(match[3])
        if first == second or first > 12:
            return _day(match["year"], second, first)
        if second > 12:
            return _day(match["year"], first, second)
    return None


def _day(year: str, month: int, day: int) -> date | None:
    try:
        return date(int(year), month, day)
    except ValueError:
        return None
