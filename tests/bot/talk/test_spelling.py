"""The last thing that was named, letter by letter."""

import pytest

from bot.talk.spelling import last_named, spelled
from bot.wording.table import wording

ENGLISH = wording("en")


@pytest.mark.parametrize(
    ("answer", "thing"),
    [
        ("The entrance on Mill Lane has no steps. That's from the accessibility page.", "Mill Lane"),
        ("Mill Lane has no steps.", "Mill Lane"),
        ("It was founded by Anna Brooks and Martin Hale in 1998.", "Martin Hale"),
        ("Write to service@larkspur-cycles.example for that.", "service@larkspur-cycles.example"),
        ("Your order is AB12-7, and it left on Monday.", "AB12-7"),
        ("We are open from 9 to 17 on Sunday.", "17"),
        ("It costs 18 dollars. That's from the FAQ page.", "18"),
        ("Yes, you can.", None),
        ("I am sorry.", None),
        ("Please ask at the desk on the second floor.", None),
        ("", None),
    ],
)
def test_what_is_spelled_is_the_last_name_or_else_the_last_number(answer: str, thing: str | None):
    assert last_named(answer) == thing


@pytest.mark.parametrize(
    ("thing", "said"),
    [
        ("Mill Lane", "M, I, L, L. L, A, N, E."),
        ("1998", "1, 9, 9, 8."),
        ("jo.b@x-y.org", "J, O, dot, B, at, X, dash, Y, dot, O, R, G."),
        ("O'Brien", "O, B, R, I, E, N."),
        ("Zoë", "Z, O, Ë."),
    ],
)
def test_each_letter_is_said_by_itself(thing: str, said: str):
    assert spelled(thing, ENGLISH.signs) == said
