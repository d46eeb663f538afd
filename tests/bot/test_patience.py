"""Whose words want more is waited for, as long as that caller mostly needs."""

import pytest

from bot.patience import Pauses, is_open


@pytest.mark.parametrize(
    "said",
    [
        "So I wanted to, uh,",
        "I'd like to know whether",
        "What I mean is um",
        "I have a bike and",
        "Can I bring back the",
        "I would like to",
        "My number is oh seven seven",
        "It's 0 7 7 0",
        "It's 555 123",
        "My e-mail is jane",
        "My email address is jane at",
        "It's jane underscore",
        "My email is jane dot doe at example",
        "My name is",
        "It's spelled M A R",
        "Well...",
    ],
)
def test_these_words_want_more(said: str):
    assert is_open(said)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "When do you close?",
        "Who do I speak to?",
        "who do i speak to",
        "What is that and?",
        "I bought it in 2019.",
        "It was 25 pounds.",
        "I need two.",
        "My email is jane at example dot com.",
        "My email is jane@example.com",
        "My name is Jane.",
        "Thank you.",
        "No.",
        "Plan B.",
    ],
)
def test_these_do_not(said: str):
    assert not is_open(said)


def longest(*made: float) -> float:
    pauses = Pauses(usual_secs=1.5)
    for secs in made:
        pauses.made(secs)
    return pauses.longest_secs


def test_one_pause_says_nothing_of_a_caller():
    assert longest(0.3) == longest(1.4) == 1.5


def test_a_caller_who_pauses_briefly_is_waited_for_less():
    assert longest(0.3, 0.4, 0.3, 0.3, 0.4, 0.3) == pytest.approx(1.05)


def test_a_caller_who_pauses_long_is_waited_for_more():
    assert longest(1.4, 1.4) == pytest.approx(1.96)


def test_nobody_is_waited_for_without_end_nor_cut_at_once():
    assert (longest(*[9.0] * 9), longest(*[0.01] * 99)) == (pytest.approx(2.7), pytest.approx(1.05))
