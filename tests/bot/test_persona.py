"""Who answers a call."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from bot.persona import Persona

MONDAY_NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
SUNDAY = datetime(2026, 11, 29, 12, tzinfo=UTC)


def persona(then: str = "end") -> Persona:
    outside = {"message": "{business} is closed.", "then": then}
    hours = {"zone": "UTC", "mon-fri": "9:00-18:00"}
    return Persona.model_validate({"name": "Ada", "business": "Acme", "hours": hours, "outside_hours": outside})


@pytest.mark.parametrize(
    ("answers", "notice", "greeting"),
    [
        (Persona(), "", "Hello, this is Jarvis at Larkspur Cycles. How can I help?"),
        (Persona(), "I quote.", "Hello, this is Jarvis at Larkspur Cycles. I quote. How can I help?"),
        (Persona(name="Ada", business="Acme", greeting="{business}, {name}."), "", "Acme, Ada. How can I help?"),
        (Persona(greeting=""), "", "How can I help?"),
    ],
)
def test_the_first_words_say_who_answers_and_how(answers: Persona, notice: str, greeting: str):
    assert answers.first_words(notice) == greeting


@pytest.mark.parametrize(
    ("then", "words"),
    [
        ("end", "Hello, this is Ada at Acme. Acme is closed."),
        ("answer", "Hello, this is Ada at Acme. Acme is closed. I quote. How can I help?"),
    ],
)
def test_outside_of_the_hours_it_is_said_and_who_ends_the_call_asks_nothing(then: str, words: str):
    answers = persona(then)
    assert answers.first_words("I quote.", answers.outside(SUNDAY)) == words


def test_within_the_hours_and_without_any_nothing_is_said_of_them():
    assert (persona().outside(MONDAY_NOON), Persona().outside(SUNDAY)) == (None, None)


def test_its_own_instructions_stand_behind_those_of_all_as_they_are_written():
    assert Persona(instructions="Say {this}.").told("Answer.") == "Answer.\n\nSay {this}."
    assert Persona().told("Answer.") == "Answer."


@pytest.mark.parametrize(
    "wrong",
    [
        {"greeting": "Hello, {nane}."},
        {"greeting": "Hello, {."},
        {"greeting": "Hello, {name.upper}."},
        {"hours": {"zone": "UTC", "mon": "9:00-18:00"}},
        {"outside_hours": {"message": "Closed."}},
        {"nane": "Ada"},
    ],
    ids=["unknown place", "brace", "attribute", "no message", "no hours", "unknown key"],
)
def test_what_no_call_could_be_answered_with_is_refused(wrong: dict[str, Any]):
    with pytest.raises(ValidationError):
        Persona.model_validate(wrong)


def test_what_was_sent_is_read_as_it_was():
    assert Persona.model_validate_json(persona().model_dump_json()) == persona()


def test_in_another_language_it_greets_in_that_and_a_model_is_told_to_speak_it():
    german = Persona(language="de", greeting="Guten Tag.")
    assert german.first_words("") == "Guten Tag. Wie kann ich Ihnen helfen?"
    assert "Write everything in German" in german.told("Answer.")
