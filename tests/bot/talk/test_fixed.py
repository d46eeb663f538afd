"""Requests that are about no answer have their words at hand."""

from bot.talk.fixed import fixed
from bot.talk.requests import Request
from bot.wording.table import wording

ENGLISH = wording("en")


def test_each_is_short_enough_for_a_caller_who_wants_to_go_on():
    assert {request: len(words.split()) <= 8 for request, words in fixed(ENGLISH).items()} == {
        Request.GOODBYE: True,
        Request.WAIT: True,
        Request.STOP: True,
    }
