"""How documents are named aloud."""

from datetime import date
from typing import Any

import pytest

from processors.naming import ENGLISH, Source, spoken_name


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2025, 1, 1), "January 1st, 2025"),
        (date(2025, 2, 2), "February 2nd, 2025"),
        (date(2025, 5, 11), "May 11th, 2025"),
        (date(2024, 12, 23), "December 23rd, 2024"),
    ],
)
def test_a_date_can_be_said(day: date, words: str):
    assert ENGLISH.spoken(day) == words


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Returns policy", "the returns policy"),
        ("Our story", "our story"),
        ("The workshop", "the workshop"),
        ("FAQ", "the FAQ"),
        ("Delivery", "the delivery page"),
        ("Bicycle rental", "the bicycle rental page"),
    ],
)
def test_a_source_has_a_name_that_can_be_said_in_mid_sentence(title: str, name: str):
    assert spoken_name(title) == name


GERMAN = ENGLISH.model_copy(
    update={
        "style": "quoted", "name": "„{title}“", "dated": "{name} vom {date}",
        "also_dated": ", und {name} ist vom {date}",
        "conjunction": " und ", "said": "Das steht in {sources}.", "day": "{day}. {month} {year}",
    }
)  # fmt: skip
DATED = Source("Returns policy", date(2025, 5, 3))


@pytest.mark.parametrize(
    ("sources", "more", "said"),
    [
        ([DATED], {"dated": False}, "Das steht in „Returns policy“."),
        ([DATED, Source("FAQ", None)], {"dated": True}, "Das steht in „Returns policy“ vom 3. May 2025 und „FAQ“."),
        (
            [Source("FAQ", None)],
            {"dated": True, "earlier": [DATED]},
            "Das steht in „FAQ“, und „Returns policy“ ist vom 3. May 2025.",
        ),
    ],
)
def test_another_language_quotes_the_title_as_it_is_written(sources: list[Source], more: dict[str, Any], said: str):
    assert GERMAN.attribution(sources, **more) == said
