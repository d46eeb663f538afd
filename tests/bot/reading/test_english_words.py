"""The tables of signs and abbreviations hold together."""

from bot.reading.english_words import ABBREVIATIONS, BEFORE_NUMBERS, TITLES, UNITS, VULGAR


def test_every_title_is_an_abbreviation():
    assert set(ABBREVIATIONS) >= TITLES


def test_an_abbreviation_is_read_in_one_way():
    assert not set(ABBREVIATIONS) & set(BEFORE_NUMBERS)


def test_every_unit_has_a_word_for_one_and_for_many():
    assert all(one and many for one, many in UNITS.values())


def test_every_fraction_is_one_of_two_numbers():
    assert all(above.isdigit() and below.isdigit() for above, below in (each.split("/") for each in VULGAR.values()))
