"""The bot's own words are known when they come back."""

import pytest

from processors.echo import REMEMBERED_SECS, JustSaid


def said() -> JustSaid:
    just_said = JustSaid()
    for number, word in enumerate("The workshop opens at nine in the morning.".split()):
        just_said.note(word, at=10 + number * 0.3)
    return just_said


@pytest.mark.parametrize(
    ("text", "echo"),
    [
        ("workshop opens at nine", True),
        ("the workshop opened at nine", True),
        ("Workshop", True),
        ("when does it close", False),
        ("nine what about the morning after", False),
        ("", False),
    ],
)
def test_words_that_were_just_said_are_an_echo(text: str, echo: bool):
    assert said().echoes(text, since=10.2, until=12.5) is echo


def test_the_same_words_later_are_the_callers():
    assert not said().echoes("workshop opens at nine", since=14.5, until=15.5)


def test_words_that_come_before_they_were_said_are_the_callers():
    assert not said().echoes("in the morning", since=9.0, until=11.0)


def test_only_the_last_seconds_are_kept():
    just_said = said()
    just_said.note("Goodbye", at=13 + REMEMBERED_SECS)
    assert [word for _, word in just_said._said] == ["goodbye"]
