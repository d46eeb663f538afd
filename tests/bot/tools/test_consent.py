"""A caller's yes counts for what they were asked, once, and no doubt counts for a yes."""

import pytest

from bot.tools.consent import Consent, answer_in, is_yes
from knowledge.types import Turn

CALLER, BOT = Turn("user", "Book it."), Turn("assistant", "On Monday, is that right?")
YES = Turn("user", "Yes, please.")


@pytest.mark.parametrize(
    ("text", "yes"),
    [
        ("Yes.", True),
        ("yeah that's right", True),
        ("Sure, go ahead.", True),
        ("Ja, genau.", True),
        ("No.", False),
        ("Yes, but make it Friday.", False),
        ("That's not right.", False),
        ("I don't think that is correct", False),
        ("Right, which day is that?", False),
        ("On Monday.", False),
        ("", False),
    ],
)
def test_only_a_clear_yes_is_one(text: str, yes: bool):
    assert is_yes(text) is yes


def test_nothing_is_agreed_to_before_it_was_asked():
    assert not Consent().given("book", {"day": "Monday"}, [YES])


def test_a_yes_to_the_question_is_consent():
    consent = Consent()
    consent.given("book", {"day": "Monday"}, [CALLER])
    assert consent.given("book", {"day": "Monday"}, [CALLER, BOT, YES])


def test_consent_is_used_up():
    consent = Consent()
    consent.given("book", {"day": "Monday"}, [CALLER])
    consent.given("book", {"day": "Monday"}, [CALLER, BOT, YES])
    assert not consent.given("book", {"day": "Monday"}, [CALLER, BOT, YES])


@pytest.mark.parametrize("arguments", [{"day": "Friday"}, {}])
def test_consent_is_for_the_values_that_were_asked_about(arguments: dict[str, str]):
    consent = Consent()
    consent.given("book", {"day": "Monday"}, [CALLER])
    assert not consent.given("book", arguments, [CALLER, BOT, YES])


def test_a_yes_to_a_later_question_is_no_consent():
    consent = Consent()
    consent.given("book", {"day": "Monday"}, [CALLER])
    turns = [CALLER, BOT, Turn("user", "No."), Turn("assistant", "Shall I tell you our hours?"), YES]
    assert not consent.given("book", {"day": "Monday"}, turns)


def test_a_yes_before_the_question_was_heard_is_no_consent():
    consent = Consent()
    consent.given("book", {"day": "Monday"}, [CALLER])
    assert not consent.given("book", {"day": "Monday"}, [CALLER, YES])


def test_an_answer_in_pieces_is_taken_as_a_whole():
    assert answer_in([BOT, Turn("user", "Yes,"), Turn("user", "but on Friday.")]) == "Yes, but on Friday."
