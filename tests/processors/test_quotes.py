"""Which sentence of a passage another rests on, and which can be said for it."""

import pytest

from processors.quotes import best_quote, stand_in

WORKSHOP = "We ring a bell. Repairing a flat tire costs 18 dollars.\nTire | 18"


def test_the_quote_is_found_anywhere_in_the_passage():
    text = "First things first.  Keep the receipt with you. Then leave."
    quote, start = best_quote("keep your receipt", text)
    assert text[start : start + len(quote)] == quote == "Keep the receipt with you."


def test_the_nearest_of_several_passages_is_said_for_another():
    found = stand_in("A flat tire costs 25 dollars.", {2: "Delivery costs 5 dollars.", 3: WORKSHOP})
    assert found == (3, "Repairing a flat tire costs 18 dollars.")


@pytest.mark.parametrize(
    ("sentence", "passage"),
    [
        ("Ask for Bob.", WORKSHOP),
        ("Tire 18", WORKSHOP),
        ("Tires and tubes", "Tires and tubes"),
        ("A tire.", "A tire " + "and a tire " * 20 + "again."),
    ],
    ids=["not near", "a row of a table", "a heading", "too long"],
)
def test_not_every_sentence_can_be_said_for_another(sentence: str, passage: str):
    assert stand_in(sentence, {1: passage}) is None
