"""English dates and times as they are said."""

import re

from bot.reading.english_words import DAY_OF, MONTH_OF, MONTHS
from bot.reading.numerals import cardinal, one_by_one, ordinal, year
from bot.reading.patterns import DASH, Rules, any_of, full_stop

_MONTH = rf"(?:{any_of(MONTHS)}|(?:{any_of(set(MONTH_OF) - set(MONTHS))})\.?)"
_DAY = rf"(?:{any_of([*DAY_OF, *set(DAY_OF.values())])})\b\.?"
_HALF = r"\s?([AaPp])(?:\.\s?[Mm]\.|[Mm]\b)"


def _day(month: int, day: int, of_year: str | None = None) -> str | None:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    return f"{MONTHS[month - 1]} {ordinal(day)}" + (f", {year(int(of_year))}" if of_year else "")


def _iso_date(match: re.Match[str]) -> str:
    day = _day(int(match[2]), int(match[3]), match[1])
    if day is None:
        return ", ".join(one_by_one(part) for part in match.group(1, 2, 3))
    return day + (f" at {_clock(int(match[4]), int(match[5]))}" if match[4] else "")


def _slash_date(match: re.Match[str]) -> str:
    first, second = int(match[1]), int(match[2])
    written = match[3] if len(match[3]) == 4 else f"20{match[3]}"
    day = _day(first, second, written) or _day(second, first, written)
    return day or " slash ".join(cardinal(part) for part in match.group(1, 2, 3))


def _dotted_date(match: re.Match[str]) -> str:
    return _day(int(match[2]), int(match[1]), match[3]) or " point ".join(cardinal(part) for part in match.groups())


def _month_day(match: re.Match[str]) -> str:
    day = _day(MONTH_OF[match[1].rstrip(".")], int(match[2]))
    if day is None:
        return f"{MONTHS[MONTH_OF[match[1].rstrip('.')] - 1]} {cardinal(match[2])}"
    until = f" to {ordinal(int(match[3]))}" if match[3] else ""
    return day + until + (f", {year(int(match[4]))}" if match[4] else "")


def _day_month(match: re.Match[str]) -> str:
    month, day = MONTH_OF[match[2].rstrip(".")], int(match[1])
    if not 1 <= day <= 31:
        return f"{cardinal(match[1])} {MONTHS[month - 1]}"
    behind_the = match.string[: match.start()].lower().endswith("the ")
    said = f"{ordinal(day)} of {MONTHS[month - 1]}" if behind_the else f"{MONTHS[month - 1]} {ordinal(day)}"
    return said + (f", {year(int(match[3]))}" if match[3] else full_stop(match))


def _clock(hour: int, minute: int, half: str | None = None, *, alone: bool = True) -> str:
    shown = hour % 12 or 12
    if half is None and (hour > 12 or hour == 0):
        half = "p" if hour > 12 else "a"
    said = cardinal(str(shown))
    if minute:
        said += f" {cardinal(str(minute))}" if minute > 9 else f" oh {cardinal(str(minute))}"
    elif half is None and alone:
        said += " o'clock"
    return f"{said} {half.upper()}M" if half else said


def _time(match: re.Match[str]) -> str:
    return _clock(int(match[1]), int(match[2]), match[3].lower() if match[3] else None) + full_stop(match)


def _half_day(match: re.Match[str]) -> str:
    half = match[3].lower()
    since = f"{cardinal(match[1])} to " if match[2] else ""
    return since + _clock(int(match[2] or match[1]), 0, half) + full_stop(match)


def _days(match: re.Match[str]) -> str:
    days, opens, closes = match[1], match[2], match[3]
    several = len(re.findall(_DAY, days)) > 1
    if not several and opens is None and days.rstrip(".") in {"Sat", "Sun", "Wed"}:
        return match[0]
    said = re.sub(rf"\b({any_of(DAY_OF)})\b\.?", lambda day: DAY_OF[day[1]], days)
    said = re.sub(r"\s?[-–—]\s?", " to ", said)
    said = re.sub(r"\s?[/&]\s?", " and ", said)
    if opens is None:
        return said + full_stop(match)
    late = int(closes) > 12
    hours = (_clock(int(each), 0, "a" if late and int(each) < 12 else None, alone=False) for each in (opens, closes))
    return f"{said}, {' to '.join(hours)}"


def _decade(match: re.Match[str]) -> str:
    said = year(int(match[1])) if len(match[1]) == 4 else cardinal(match[1])
    return f"{said[:-1]}ies" if said.endswith("y") else f"{said}s"


RULES: Rules = {
    "iso_date": (
        r"(?<![\w-])([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ]([01][0-9]|2[0-3]):([0-5][0-9])(?::[0-9.]+)?Z?)?(?![\w-])",
        _iso_date,
    ),
    "slash_date": (r"(?<![\w/])([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}|[0-9]{2})(?![\w/])", _slash_date),
    "dotted_date": (r"(?<![\w.])([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})(?!\w|\.[0-9])", _dotted_date),
    "month_day": (
        rf"\b({_MONTH})\s([0-9]{{1,2}})(?:st|nd|rd|th)?(?:{DASH}([0-9]{{1,2}})(?:st|nd|rd|th)?)?"
        rf"(?:,?\s([0-9]{{4}}))?(?![\w:%]|[.,][0-9])",
        _month_day,
    ),
    "day_month": (
        rf"(?<![\w.,])([0-9]{{1,2}})(?:st|nd|rd|th)?\s(?:of\s)?({_MONTH})(?!\w)(?:,?\s([0-9]{{4}})\b)?",
        _day_month,
    ),
    "time": (rf"(?<![\w:.])([01]?[0-9]|2[0-3]):([0-5][0-9])(?::[0-5][0-9])?(?![\w:]*[0-9])(?:{_HALF})?", _time),
    "half_day": (rf"(?<![\w:.])(1[0-2]|0?[1-9])(?:{DASH}(1[0-2]|[1-9]))?{_HALF}(?!')", _half_day),
    "days": (
        rf"\b({_DAY}(?:(?:{DASH}|\s?[,/&]\s?|\s(?:and|to|or)\s){_DAY})*)"
        rf"(?:[:,]?\s([0-9]{{1,2}}){DASH}([0-9]{{1,2}})(?![\w:%]|\s?[AaPp]\.?[Mm]))?",
        _days,
    ),
    "decade": (r"(?<!\w)['’]?([0-9]{3}0|[2-9]0)s\b", _decade),
    "always": (r"\b24/7\b", lambda _match: "twenty-four seven"),
}
