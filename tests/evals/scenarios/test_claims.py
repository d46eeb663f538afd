"""Whether what was said stands in a passage."""

import pytest

from evals.scenarios.claims import is_said, refuses, sentences, unsupported
from processors.claims import claims_of

PASSAGE = (
    "Returns policy. Unused items can be returned within 30 days of delivery for a full refund. A new bicycle costs "
    "75 dollars to return. Larkspur Cycles was founded in 1998 by Anna Brooks. Open on Sundays from 11 in the morning."
)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("30 days", "You have thirty days for that."),
        ("thirty days", "You have 30 days for that."),
        ("18 dollars", "It is $18, tube included."),
        ("until 4 in the afternoon", "We are open until four in the afternoon."),
        ("you're welcome", "You’re welcome. Is there anything else?"),
    ],
)
def test_words_are_said_in_whatever_form_their_numbers_are(wanted: str, said: str):
    assert is_said(wanted, said)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [("30 days", "You have 13 days."), ("30 days", "thirty working days"), ("8 dollars", "It costs 18 dollars.")],
)
def test_other_words_are_not_said(wanted: str, said: str):
    assert not is_said(wanted, said)


def test_what_names_the_source_claims_nothing():
    assert sentences("It is 30 days. That's from the Price list of May 3rd, 2025.") == ["It is 30 days."]


def test_a_sentence_claims_its_numbers_and_the_names_in_it():
    found = [claim.words for claim in claims_of("In 1998 Anna Brooks paid 75 dollars.")]
    assert found == ["In 1998", "75 dollars", "Anna", "Brooks"]


def test_the_word_that_a_sentence_begins_with_is_no_name():
    assert claims_of("Bicycles can be returned, and I can say so.") == []


@pytest.mark.parametrize(
    "said",
    [
        "You can return it within thirty days.",
        "You can return it within 30 days. It costs $75.",
        "We were founded in 1998 by Anna Brooks.",
        "We open at 11 in the morning on Sundays.",
        "I couldn't find that in our documents.",
    ],
)
def test_what_a_passage_states_is_supported(said: str):
    assert unsupported(said, [PASSAGE]) == []


@pytest.mark.parametrize(
    ("said", "lacking"),
    [
        ("You can return it within 13 days.", ["13 days"]),
        ("You can return it within 30 weeks.", ["30 weeks"]),
        ("It costs 75 euros.", ["75 euros"]),
        ("We were founded in 1989 by Anna Hale.", ["in 1989", "Hale"]),
        ("We open at 11 in the evening on Sundays.", ["11 in the evening"]),
    ],
)
def test_what_no_passage_states_is_told_with_its_sentence(said: str, lacking: list[str]):
    assert unsupported(said, [PASSAGE]) == [(said, lacking)]


def test_a_sentence_may_not_take_one_half_from_each_of_two_passages():
    passages = ["Repairs cost 18 dollars.", "Lessons take 90 minutes."]
    assert unsupported("Repairs cost 18 dollars. Lessons take 90 minutes.", passages) == []
    assert unsupported("Repairs cost 18 dollars and take 90 minutes.", passages) == [
        ("Repairs cost 18 dollars and take 90 minutes.", ["90 minutes"])
    ]


def test_without_a_passage_every_claim_is_unsupported():
    assert unsupported("It costs 75 dollars.", []) == [("It costs 75 dollars.", ["75 dollars"])]


@pytest.mark.parametrize(
    "said",
    [
        "I couldn't find that in our documents.",
        "I could not find it in the documents.",
        "Sorry, I don't know the price.",
        "I can’t look things up right now.",
        "There is no information about that.",
    ],
)
def test_a_refusal_is_known(said: str):
    assert refuses(said)


@pytest.mark.parametrize("said", ["It costs 18 dollars.", "You can't return it once it was ridden.", ""])
def test_an_answer_is_no_refusal(said: str):
    assert not refuses(said)
