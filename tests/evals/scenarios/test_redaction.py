"""What callers say of themselves in numbers and addresses."""

import pytest

from evals.scenarios.redaction import CARD, MAIL, PHONE, redacted


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("My card is 5500 0000 0000 0004.", f"My card is {CARD}."),
        ("it's five five double oh triple zero 0 0000 zero zero zero four", f"it's {CARD}"),
        ("Call +1 (415) 555-0187 please.", f"Call {PHONE} please."),
        ("I am on five five five oh one eight seven now", f"I am on {PHONE} now"),
        ("Write to Jane.Quill+shop@quill.example today", f"Write to {MAIL} today"),
        ("that's jane dot quill at quill dash shop dot example", f"that's {MAIL}"),
    ],
)
def test_cards_phones_and_addresses_become_examples(said: str, kept: str):
    assert redacted(said) == (kept, 1)


@pytest.mark.parametrize(
    "said",
    [
        "Order 12345 of 2026-11-28 came to 18 dollars.",
        "Is a million, 1,000,000 dollars, insured from 9 to 17, twenty four seven?",
        "Meet me at noon, at the dot.",
        "",
    ],
)
def test_other_numbers_stay(said: str):
    assert redacted(said) == (said, 0)


def test_each_is_counted():
    assert redacted("555 0187, or a@b.example, or c at d dot example") == (f"{PHONE}, or {MAIL}, or {MAIL}", 3)
