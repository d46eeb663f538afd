"""The kind of answer a question expects."""

import pytest

from bot.extractive.expectation import Fit, expected


@pytest.mark.parametrize(
    ("question", "fitting", "other"),
    [
        ("How much is a rental?", "A rental is 40 dollars.", "A rental is great fun."),
        ("What does delivery cost?", "Delivery is free.", "Delivery takes a day."),
        ("How long does it take?", "It takes three weeks.", "It takes patience."),
        ("When do you open?", "We open on Monday.", "We open with joy."),
        ("How often do you clean?", "We clean daily.", "We clean gladly."),
        ("How old must I be?", "You must be sixteen years old.", "You must be careful."),
        ("How far do you deliver?", "We deliver up to 100 miles.", "We deliver gladly."),
        ("How many children are there?", "There are eight children.", "There are children."),
        ("What percentage do you take?", "We take 5 percent.", "We take some."),
        ("Who founded the shop?", "It was founded by Anna Brooks.", "It was founded long ago."),
    ],
)
def test_a_sentence_fits_when_it_has_the_kind_of_answer_that_was_asked_for(question: str, fitting: str, other: str):
    assert (expected(question).fit(fitting), expected(question).fit(other)) == (Fit.YES, Fit.NO)


@pytest.mark.parametrize("question", ["Do you repair strollers?", "What happens when a parcel gets lost?", ""])
def test_most_questions_expect_nothing_particular(question: str):
    assert expected(question).fit("We sell 5 bikes.") is Fit.ANY


def test_words_that_an_answer_need_not_repeat_are_known():
    assert "cost" in expected("What does it cost?").said_by
