"""When somebody is there: hours of each weekday in a time zone, and days that are none."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_OF_A_DAY = 24 * 60
_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})")

Span = tuple[int, int]


class Hours(BaseModel):
    """`week` has the spans of each weekday from Monday, in minutes since midnight, an end past midnight above 1440.

    Written as `{"zone": "Europe/Berlin", "mon-fri": "9:00-12:30, 13:30-18:00", "fri-sat": "20:00-2:00", "closed":
    ["2026-12-25"]}`. A day that nothing names is closed; so is one of `closed`, but for what began the day before.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    zone: str = Field(description="IANA's name, as in Europe/Berlin")
    week: tuple[tuple[Span, ...], ...] = Field(min_length=7, max_length=7)
    closed: frozenset[date] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _written(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or "week" in data:
            return data
        week: list[tuple[Span, ...]] = [()] * 7
        named = {key: spans for key, spans in data.items() if key not in ("zone", "closed")}
        for key, spans in named.items():
            for day in _days(key):
                if week[day]:
                    raise ValueError(f"{DAYS[day]} is named twice")
                week[day] = _spans(key, spans)
        if not named:
            raise ValueError('it names no day: "mon-fri" = "9:00-18:00"')
        return {key: data[key] for key in ("zone", "closed") if key in data} | {"week": week}

    @field_validator("zone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"there is no time zone {name!r}; IANA's names are such as Europe/Berlin") from None
        return name

    @model_validator(mode="after")
    def _overlaps_nowhere(self) -> Self:
        for day, spans in enumerate(self.week):
            for one, other in pairwise(spans):
                if other[0] < one[1]:
                    raise ValueError(f"the hours of {DAYS[day]} overlap, or are out of order")
        return self

    def open_at(self, at: datetime) -> bool:
        """Whether somebody is there at that time, which knows its own zone."""
        there = at.astimezone(ZoneInfo(self.zone))
        minute, today = there.hour * 60 + there.minute, there.date()
        return self._within(today, minute) or self._within(today - timedelta(days=1), minute + MINUTES_OF_A_DAY)

    def _within(self, day: date, minute: int) -> bool:
        return day not in self.closed and any(start <= minute < end for start, end in self.week[day.weekday()])


def _days(key: str) -> Iterable[int]:
    first, dash, last = key.lower().partition("-")
    if first not in DAYS or (dash and last not in DAYS):
        raise ValueError(f"{key!r} is no day: write {', '.join(DAYS)}, or several as mon-fri")
    begin, end = DAYS.index(first), DAYS.index(last or first)
    return range(begin, end + 1) if begin <= end else (*range(begin, 7), *range(end + 1))


def _spans(key: str, written: Any) -> tuple[Span, ...]:
    parts = [part.strip() for part in written.split(",")] if isinstance(written, str) else []
    found = [_SPAN.fullmatch(part) for part in parts]
    if not found or None in found:
        raise ValueError(f'{key}: write "9:00-18:00", several by commas, and leave out a day that is closed')
    return tuple(_span(key, match) for match in found if match is not None)


def _span(key: str, match: re.Match[str]) -> Span:
    numbers = [int(each) for each in match.groups()]
    start, end = (_minutes(key, *pair) for pair in (numbers[:2], numbers[2:]))
    if start in (MINUTES_OF_A_DAY, end):
        raise ValueError(f"{key}: {match[0]} has no length")
    return start, end if end > start else end + MINUTES_OF_A_DAY


def _minutes(key: str, hour: int, minute: int) -> int:
    if (hour, minute) == (24, 0):
        return MINUTES_OF_A_DAY
    try:
        return (at := time(hour, minute)).hour * 60 + at.minute
    except ValueError:
        raise ValueError(f"{key}: there is no time {hour}:{minute:02}") from None
