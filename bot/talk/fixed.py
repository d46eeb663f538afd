"""What is said to requests that are about no answer."""

from collections.abc import Mapping

from bot.talk.requests import Request
from bot.wording.table import Wording

WITHOUT_ANSWER = (Request.GOODBYE, Request.WAIT, Request.STOP)


def fixed(words: Wording) -> Mapping[Request, str]:
    """The words for each of them."""
    return dict(zip(WITHOUT_ANSWER, (words.goodbye, words.take_your_time, words.all_right), strict=True))
