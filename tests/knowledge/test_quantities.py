"""Quantities in the many ways of writing them, in one form each."""

import pytest

from knowledge.quantities import Kind, number, quantities

Stated = tuple[str, float | str, str]


def stated(text: str) -> list[Stated]:
    return [(quantity.kind.value, quantity.value, quantity.unit) for quantity in quantities(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It costs 18 dollars.", [("money", 18, "dollar")]),
        ("$4.50 each", [("money", 4.5, "dollar")]),
        ("1,234.50 euros, or £20", [("money", 1234.5, "euro"), ("money", 20, "pound sterling")]),
        ("Fifty cents.", [("money", 0.5, "dollar")]),
        ("between 25 and 500 dollars", [("money", 25, "dollar"), ("money", 500, "dollar")]),
        ("18 percent off, then 30%", [("percent", 18, "percent"), ("percent", 30, "percent")]),
        ("two weeks", [("duration", 14, "day")]),
        ("1.5 hours", [("duration", 90, "minute")]),
        ("an hour and a half", [("duration", 90, "minute")]),
        ("half an hour", [("duration", 30, "minute")]),
        ("2 years", [("duration", 24, "month")]),
        ("a 30-day trial", [("duration", 30, "day")]),
        ("3 to 5 working days", [("duration", 3, "working day"), ("duration", 5, "working day")]),
        ("at least sixteen years old", [("age", 192, "month")]),
        ("within 12 miles", [("measure", 19312.128, "metre")]),
        ("opens at 7:30 p.m.", [("clock", 1170, "minute")]),
        ("half past 6 in the evening", [("clock", 1110, "minute")]),
        ("a quarter to 8", [("clock", 465, "minute")]),
        ("from 10 in the morning until noon", [("clock", 600, "minute"), ("clock", 720, "minute")]),
        ("12 a.m.", [("clock", 0, "minute")]),
        ("the 3rd of May 2025", [("date", "2025-05-03", "")]),
        ("May 3rd, 2025", [("date", "2025-05-03", "")]),
        ("2025-05-03", [("date", "2025-05-03", "")]),
        ("until January twentieth", [("date", "--01-20", "")]),
        ("in March 2024", [("date", "2024-03", "")]),
        ("founded in 1998", [("date", "1998", "")]),
        ("at most eight children", [("count", 8, "children")]),
        ("one hundred and fifty bikes", [("count", 150, "bikes")]),
        ("a dozen eggs", [("count", 12, "eggs")]),
    ],
)
def test_a_quantity_has_one_form_however_it_is_written(text: str, found: list[Stated]):
    assert stated(text) == found


@pytest.mark.parametrize(
    "text",
    ["The big one is red.", "A second size is free.", "It was first seen in spring.", "From May to August.", "No."],
)
def test_what_only_looks_like_a_quantity_is_none(text: str):
    assert stated(text) == []


def test_a_verb_is_no_month():
    assert Kind.DATE not in {quantity.kind for quantity in quantities("Groups of 10 may ride.")}


def test_two_numbers_in_a_row_stay_two():
    assert stated("two and three") == [("count", 2, ""), ("count", 3, "")]


def test_quantities_come_in_their_order_with_their_place():
    text = "It takes 2 hours and costs 5 dollars."
    assert [text[quantity.start : quantity.end] for quantity in quantities(text)] == ["2 hours", "5 dollars"]


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("7", 7), ("1,500", 1500), ("twenty-five", 25), ("two thousand three hundred", 2300), ("a hundred", 100),
        ("half", 0.5), ("2.5 million", 2_500_000),
    ],
)  # fmt: skip
def test_a_number_is_read_in_digits_and_in_words(words: str, value: float):
    assert number(words) == value


def test_what_is_no_number_is_refused():
    with pytest.raises(ValueError, match="many"):
        number("many")
