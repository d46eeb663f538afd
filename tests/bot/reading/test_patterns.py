"""The rules of reading, in one pass."""

from bot.reading.patterns import any_of, reader

ONE_TWO = reader({"one": (r"(1)", lambda match: f"2{match[1]}"), "two": (r"(x)?(2)", lambda match: f"<{match[2]}>")})


def test_what_was_read_is_not_read_again():
    assert ONE_TWO("1 2 x2") == "21 <2> <2>"


def test_what_no_rule_knows_keeps_its_spaces():
    assert ONE_TWO("a  b ,c") == "a  b ,c"


def test_the_longest_word_that_fits_is_tried_first():
    assert any_of(["km", "km/h", "m"]) == "km/h|km|m"
