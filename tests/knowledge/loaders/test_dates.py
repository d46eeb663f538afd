from datetime import date

import pytest

from knowledge.loaders.dates import parse_date


@pytest.mark.parametrize(
    "words",
    [
        "2025-05-03",
        "2025-05-03T10:00:00+02:00",
        "2025-05-03 10:00",
        "2025/5/3",
        "20250503T100000Z",
        "3 May 2025",
        "3rd of May, 2025",
        "May 3, 2025",
        "Saturday, May 3rd 2025",
        "Sat, 03 May 2025 10:00:00 GMT",
        "3-May-2025",
        "3.5.2025",
        "03.05.2025",
        "'2025-05-03'",
    ],
)
def test_a_day_is_read_however_it_is_written(words: str) -> None:
    assert parse_date(words) == date(2025, 5, 3)


@pytest.mark.parametrize(("words", "month"), [("May 2025", 5), ("2025-12", 12)])
def test_a_month_is_its_first_day(words: str, month: int) -> None:
    assert parse_date(words) == date(2025, month, 1)


@pytest.mark.parametrize("words", ["25/12/2025", "12/25/2025"])
def test_a_day_that_can_be_no_month_tells_the_order(words: str) -> None:
    assert parse_date(words) == date(2025, 12, 25)


@pytest.mark.parametrize(
    "words", ["", "soon", "3/5/2025", "2025-13-01", "30 February 2025", "2025", "1 March", "[2025]"]
)
def test_what_is_unclear_is_no_day(words: str) -> None:
    assert parse_date(words) is None
