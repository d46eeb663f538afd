"""A text as a voice is given it."""

import pytest

from bot.reading.aloud import Aloud


@pytest.mark.parametrize("language", ["en", "en-US", "EN"])
def test_english_is_read_whatever_the_region(language: str):
    assert Aloud().said("It is $18.", language) == "It is eighteen dollars."


def test_a_language_that_nobody_wrote_rules_for_is_read_as_written():
    assert Aloud().said("3 kr.", "sv") == "3 kr."


@pytest.mark.parametrize("language", ["en", "sv"])
def test_pronunciations_count_in_every_language(language: str):
    assert Aloud((("Leominster", "Lemster"),)).said("Leominster!", language) == "Lemster!"


def test_a_text_is_told_as_any_voice_reads_it():
    assert "It is eighteen dollars." in Aloud().in_any("It is $18.")
