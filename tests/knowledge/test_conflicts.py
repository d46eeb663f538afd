"""Two documents that disagree on what was asked, and pairs that only seem to."""

from collections.abc import Collection

import pytest

from knowledge.conflicts import Claim, conflict
from knowledge.quantities import Kind

ANY = frozenset(Kind)


def claims(one: str, other: str, *, titles: tuple[str, str] = ("Returns policy", "FAQ")) -> list[Claim]:
    return [Claim(one, "1", titles[0], "", 0.9), Claim(other, "2", titles[1], "", 0.8)]


def found(question: str, pair: list[Claim], *, asked: Collection[Kind] = ANY) -> tuple[Claim, Claim] | None:
    return conflict(question, pair, asked=asked)


@pytest.mark.parametrize(
    ("question", "one", "other"),
    [
        ("How long can I return an item?", "Returns are accepted within 30 days.",
         "Returns are accepted within 14 days."),
        ("How long do I have to return unused items?", "Unused items can be returned within 30 days of delivery.",
         "You can return unused items within two weeks."),
        ("When does the pool open?", "The pool opens at 7 in the morning.", "The pool opens at 9 a.m."),
        ("How much is breakfast?", "Breakfast costs 12 dollars.", "Breakfast is $15 per person."),
        ("How many children are in a class?", "There are at most 8 children in each class.",
         "A class has at most ten children."),
        ("When does the season start?", "The season starts on May 3.", "The season starts on the 10th of May."),
        ("How long is the warranty on frames?", "Frames carry a warranty of 10 years.",
         "The warranty on frames is 5 years."),
        ("How long may I stay?", "Guests of the house may stay 3 to 5 days.",
         "Guests of the house may stay 3 to 7 days."),
        ("When do I see my money?", "Refunds reach your bank account in 6 days.",
         "Refunds reach your bank account in 9 days."),
        ("What is the late fee?", "The late fee is 10 dollars.", "A late fee of 15 dollars applies."),
    ],
)  # fmt: skip
def test_documents_that_give_one_thing_two_values_are_in_conflict(question: str, one: str, other: str):
    pair = claims(one, other)
    assert found(question, pair) == (pair[0], pair[1])


@pytest.mark.parametrize(
    ("question", "one", "other"),
    [
        ("How long can I return an item?", "Returns are accepted within 2 weeks.",
         "Returns are accepted within 14 days."),
        ("How much is it to rent a bike?", "A city bike rents for 32 dollars a day.",
         "An electric bike rents for 70 dollars a day."),
        ("How long does delivery take?", "Standard delivery takes 3 to 5 working days.",
         "Express delivery takes 1 working day."),
        ("When does the pool open?", "The pool opens at 7 on weekdays.", "The pool opens at 9 on Sundays."),
        ("How long can I return an item?", "Items can be returned within 30 days.",
         "Sale items can be returned within 14 days."),
        ("How long is the warranty?", "The warranty is 2 years.", "The warranty is 5 years for frames."),
        ("How much is a city bike?", "A city bike costs 500 dollars.", "Bikes cost 700 dollars."),
        ("How long does it take?", "It takes 3 days.", "It takes 20 dollars."),
        ("How long may I stay?", "Guests may stay 3 to 5 days.", "A guest may stay for 5 to 7 days."),
    ],
    ids=["same value", "two products", "two services", "two days", "an exception", "a special case", "not asked about",
         "two kinds", "a value in common"],
)  # fmt: skip
def test_what_may_be_of_different_things_is_no_conflict(question: str, one: str, other: str):
    assert found(question, claims(one, other)) is None


@pytest.mark.parametrize(
    "titles", [("Hotel Adler FAQ", "Hotel Krone FAQ"), ("First Pedals", "Road Ready"), ("Membership", "Parking")]
)
def test_titles_of_different_things_rule_a_conflict_out(titles: tuple[str, str]):
    assert (
        found("How much is the fee?", claims("The fee is 10 dollars.", "The fee is 20.50 dollars.", titles=titles))
        is None
    )


def test_two_versions_of_a_document_can_be_in_conflict():
    titles = ("Returns policy 2024", "Returns policy 2025")
    pair = claims("Returns are accepted within 30 days.", "Returns are accepted within 14 days.", titles=titles)
    assert found("How long do I have for returns?", pair) is not None


def test_a_document_is_not_in_conflict_with_itself():
    one, other = claims("Returns are accepted within 30 days.", "Returns are accepted within 14 days.")
    same = Claim(other.text, one.document, one.title, "", other.score)
    assert found("How long do I have for returns?", [one, same]) is None


@pytest.mark.parametrize("asked", [(), (Kind.MONEY,)], ids=["nothing", "another kind"])
def test_only_what_was_asked_for_can_be_in_conflict(asked: Collection[Kind]):
    pair = claims("Returns are accepted within 30 days.", "Returns are accepted within 14 days.")
    assert found("Do you accept returns?", pair, asked=asked) is None


def test_the_better_claim_comes_first():
    pair = claims("Returns are accepted within 30 days.", "Returns are accepted within 14 days.")
    assert found("How long do I have for returns?", pair[::-1]) == (pair[0], pair[1])
