"""When somebody is there."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from bot.hours import Hours


def hours(**more: Any) -> Hours:
    return Hours.model_validate(
        {"zone": "Europe/Berlin", "mon-fri": "9:00-12:30, 13:30-18:00", "sat": "20:00-2:00"} | more
    )


# 2026-11-30 is a Monday; Berlin is an hour ahead of UTC.
@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2026-11-30T07:59", False),
        ("2026-11-30T08:00", True),
        ("2026-11-30T11:30", False),
        ("2026-11-30T12:30", True),
        ("2026-11-30T17:00", False),
        ("2026-11-29T12:00", False),
        ("2026-12-05T23:30", True),
        ("2026-12-06T00:59", True),
        ("2026-12-06T01:00", False),
        ("2026-07-06T07:00", True),
    ],
    ids=["before", "opening", "lunch", "after lunch", "closing", "sunday", "late", "past midnight", "over", "summer"],
)
def test_it_is_open_in_its_spans_by_its_own_zone(at: str, is_open: bool):
    assert hours().open_at(datetime.fromisoformat(at).replace(tzinfo=UTC)) is is_open


def test_a_closed_day_ends_nothing_that_began_the_day_before():
    closed = hours(closed=["2026-12-06", "2026-11-30"])
    assert closed.open_at(datetime(2026, 12, 6, 0, 30, tzinfo=UTC))
    assert not closed.open_at(datetime(2026, 11, 30, 10, tzinfo=UTC))


def test_days_may_go_over_the_weekend_and_all_day():
    always = Hours.model_validate({"zone": "UTC", "sat-mon": "0:00-24:00"})
    assert [bool(spans) for spans in always.week] == [True, False, False, False, False, True, True]
    assert always.open_at(datetime(2026, 11, 29, 23, 59, tzinfo=UTC))


def test_what_was_sent_is_read_as_it_was():
    sent = hours(closed=["2026-12-25"])
    assert Hours.model_validate_json(sent.model_dump_json()) == sent


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"zone": "Europe/Berlim"}, "no time zone 'Europe/Berlim'"),
        ({"zone": "../../etc/passwd"}, "no time zone"),
        ({"montag": "9:00-18:00"}, "'montag' is no day"),
        ({"sun": "9-18"}, 'sun: write "9:00-18:00"'),
        ({"sun": 9}, "sun: write"),
        ({"sun": ""}, "sun: write"),
        ({"sun": "9:00-25:00"}, "there is no time 25:00"),
        ({"sun": "9:00-9:00"}, "has no length"),
        ({"sun": "9:00-12:00, 11:00-13:00"}, "hours of sun overlap"),
        ({"fri": "9:00-12:00"}, "fri is named twice"),
        ({"closed": ["Christmas"]}, "closed"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_is_no_hours_is_refused_with_the_reason(written: dict[str, Any], told: str):
    with pytest.raises(ValidationError, match=told):
        hours(**written)


def test_hours_without_a_day_are_refused():
    with pytest.raises(ValidationError, match="names no day"):
        Hours.model_validate({"zone": "UTC"})
