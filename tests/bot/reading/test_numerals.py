"""Digits as words."""

import pytest

from bot.reading.numerals import cardinal, one_by_one, ordinal, quantity, short_or_digits, year


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (cardinal("0"), "zero"),
        (cardinal("1299"), "one thousand two hundred ninety-nine"),
        (cardinal("3.50"), "three point five zero"),
        (cardinal("7" * 13), " ".join(["seven"] * 13)),
        (quantity("9001"), "nine thousand one"),
        (quantity("48213"), "four eight two one three"),
        (quantity("250000"), "two hundred fifty thousand"),
        (quantity("007"), "zero zero seven"),
        (ordinal(21), "twenty-first"),
        (year(1905), "nineteen oh-five"),
        (one_by_one("1.3"), "one point three"),
        (short_or_digits("12"), "twelve"),
        (short_or_digits("380"), "three eight zero"),
        (cardinal("3.5", "de"), "drei Komma fünf"),
    ],
)
def test_digits_become_words(said: str, expected: str):
    assert said == expected
