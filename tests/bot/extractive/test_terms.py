"""Terms: what a question asks about, and whether a text speaks of it."""

import pytest

from bot.extractive.terms import support, terms


def test_terms_are_the_words_that_carry_meaning_each_once():
    assert terms("Is the battery of my battery charger covered?") == ("batteri", "charger", "cover")


@pytest.mark.parametrize(
    ("one", "other"),
    [("repairing", "fixed"), ("the hire", "rental"), ("a puncture", "flat"), ("bikes", "bicycle"), ("shop's", "store")],
)
def test_words_that_mean_the_same_are_one_term(one: str, other: str):
    assert terms(one) == terms(other)


@pytest.mark.parametrize(
    ("term", "text", "least", "most"),
    [
        ("helmet", "helmets and lights", 1, 1),
        ("pack", "unpacked items", 0.7, 0.9),
        ("pulaski", "casimir pulawski", 0.6, 0.9),
        ("motorcycl", "a bicycle", 0, 0),
        ("dog", "dogma", 0, 0),
        ("dog", "", 0, 0),
    ],
    ids=["said", "compounded", "misheard", "another thing", "short words must be said", "nothing"],
)
def test_a_text_supports_a_term_as_far_as_it_says_it(term: str, text: str, least: float, most: float):
    assert least <= support(term, terms(text)) <= most
