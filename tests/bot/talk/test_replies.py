"""What is said to a request about the talk."""

from typing import Any

import pytest

from bot.talk.replies import gist, reply, sources
from bot.talk.requests import Request
from bot.wording.table import wording
from processors.last_answer import LastAnswer

ENGLISH = wording("en")


def cited(title: str = "Workshop", *, path: tuple[str, ...] = (), day: str | None = None, quote: str = "") -> Any:
    return {"title": title, "heading_path": list(path), "effective_date": day, "quote": quote}


def answer(text: str, *citations: Any) -> LastAnswer:
    return LastAnswer(text=text, citations=[*citations])


@pytest.mark.parametrize("request_", [Request.REPEAT, Request.SHORTER, Request.SOURCE, Request.SPELL])
def test_what_is_about_an_answer_has_no_reply_before_there_is_one(request_: Request):
    assert reply(request_, LastAnswer(), ENGLISH) is None


@pytest.mark.parametrize(
    ("request_", "words"), [(Request.WAIT, ENGLISH.take_your_time), (Request.GOODBYE, ENGLISH.goodbye)]
)
def test_what_is_about_no_answer_has_a_reply_of_its_own(request_: Request, words: str):
    assert reply(request_, LastAnswer(), ENGLISH) == words


def test_the_last_answer_is_repeated_in_its_own_words():
    assert (
        reply(Request.REPEAT, answer(" At nine. That's from the hours page."), ENGLISH)
        == "At nine. That's from the hours page."
    )


@pytest.mark.parametrize(
    ("citations", "said"),
    [
        ([cited()], "That's from the workshop page."),
        ([cited(path=("Workshop", "Repairs"))], "That's from the workshop page, under “Repairs”."),
        ([cited(path=("Workshop",))], "That's from the workshop page."),
        ([cited("Returns policy", day="2025-05-03")], "That's from the returns policy, as of May 3rd, 2025."),
        ([cited(), cited()], "That's from the workshop page."),
        ([cited(), cited("Delivery")], "That's from the workshop page. That's also from the delivery page."),
        ([], ENGLISH.no_source),
    ],
)
def test_each_source_is_named_once_with_its_section_and_its_date(citations: list[Any], said: str):
    assert sources(citations, ENGLISH) == said


def test_the_gist_is_the_first_sentence_that_rests_on_a_source():
    said = answer(
        "Good question. A puncture costs 18 dollars. Ask us. That's from the workshop page.",
        cited(quote="Puncture: 18 dollars."),
    )
    assert gist(said) == "A puncture costs 18 dollars."


@pytest.mark.parametrize(
    ("text", "first"),
    [("At 9 a.m. sharp. Or later.", "At 9 a.m."), ("Yes! Come.", "Yes!"), ("Well, maybe", "Well, maybe")],
)
def test_without_a_source_the_gist_is_the_first_sentence(text: str, first: str):
    assert gist(answer(text)) == first


def test_the_last_name_is_spelled():
    assert reply(Request.SPELL, answer("It is on Mill Lane."), ENGLISH) == "Mill Lane: M, I, L, L. L, A, N, E."


def test_where_nothing_was_named_it_is_asked_what_to_spell():
    assert reply(Request.SPELL, answer("Yes, you can."), ENGLISH) == ENGLISH.nothing_named
