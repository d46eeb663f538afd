"""An operator's pronunciations."""

import pytest

from bot.reading.lexicon import Lexicon, parsed, sayer

FILE = """
# Places
Leominster = Lemster
ebike = e bike

IT = I T
C++ = C plus plus
Larkspur Way = Lark spur way
"""
LEXICON: Lexicon = parsed(FILE)


def read(text: str) -> str:
    return text.replace("5", "five")


def test_a_file_is_read_line_by_line():
    assert dict(LEXICON)["Leominster"] == "Lemster"
    assert len(LEXICON) == 5


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Leominster's bridge.", "Lemster's bridge."),
        ("Leominsters", "Leominsters"),
        ("An Ebike, an EBIKE.", "An e bike, an e bike."),
        ("IT is it.", "I T is it."),
        ("5 C++ programs in Larkspur Way.", "five C plus plus programs in Lark spur way."),
        ("Nothing of it.", "Nothing of it."),
    ],
)
def test_words_are_said_as_the_file_has_them_and_the_rest_is_read(written: str, said: str):
    assert sayer(LEXICON, read)(written) == said


def test_what_a_word_is_said_as_is_not_read_again():
    assert sayer((("Bay5", "bay 5"),), read)("Bay5 and 5") == "bay 5 and five"


def test_no_text_can_pretend_to_be_a_word_of_the_file():
    assert sayer(LEXICON, read)("\ue000 IT") == " I T"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("# fine\nLeominster Lemster", "line 2: there is no = "),
        ("= Lemster", "line 1: there is no word before"),
        ("... = Lemster", "line 1: there is no word before"),
        ("Leominster =", "line 1: nothing behind"),
        ("a = b\na = c", "line 2: this word was there before"),
        (f"a = {'b' * 201}", "line 1: .* at most 200"),
        ("one\na = b\nthree", "line 1: .*; line 3: "),
    ],
)
def test_each_line_that_is_wrong_is_told(text: str, told: str):
    with pytest.raises(ValueError, match=told):
        parsed(text)
