"""What costs a simulated caller its run."""

import pytest

from evals.scenarios.keys import Caller
from evals.simulated.conduct import Line, is_english, misconduct

KEYS = Caller.model_validate({
    "asks": [r"\bflat"],
    "never_asks": [r"\bgift"],
    "hidden_facts": [{"fact": "The order number is 4711.", "told_by": ["4711", "47 11"], "asked_by": r"order number"}],
})  # fmt: skip
GREETING = Line(False, "Hello, this is Jarvis of Larkspur Cycles.")
QUESTION = Line(True, "What does repairing a flat tire cost?")
HOURS = Line(False, "It is. You open at nine in the morning.")
YES = Line(True, "Yes, please.")
ANSWER = Line(False, "It costs 18 dollars. That's from the workshop page.")


def reasons(*lines: Line, ended_by: str = "end_call", max_turns: int = 4, is_silent: bool = False) -> list[str]:
    return misconduct(lines, KEYS, ended_by=ended_by, max_turns=max_turns, is_silent=is_silent)


def bot(text: str) -> Line:
    return Line(False, text)


def caller(text: str) -> Line:
    return Line(True, text)


def test_a_caller_who_asks_and_hangs_up_behaved():
    assert reasons(GREETING, QUESTION, ANSWER, caller("Thank you, bye.")) == []


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("It is about order 4711, please.", "told hidden fact 1 before it was asked"),
        ("It is order forty-seven eleven.", "told hidden fact 1 before it was asked"),
        ("How can I help you today?", "speaks as the bot"),
        ("As an AI, I can't do that.", "speaks as the bot"),
        ("It is? You open at nine in the morning.", "says what the bot said"),
        ("It's 20 dollars. That's from the workshop page.", "speaks as the bot"),
        ("What does repairing a flat tire cost?", "repeats an earlier one"),
        ("What does **a repair** cost?", "markup"),
        ("1. The price\n2. The time", "markup"),
        ("(sighs) How long does it take?", "markup or a stage direction"),
        ("…", "has no word"),
        ("Quanto costa una riparazione della bicicletta rossa?", "is not English"),
        ("Сколько это стоит?", "is not English"),
        ("And what about a gift card?", "asked for something else"),
    ],
)
def test_what_spoils_a_run_is_told(line: str, why: str):
    (reason,) = reasons(GREETING, QUESTION, ANSWER, HOURS, caller(line))
    assert why in reason


def test_a_hidden_fact_may_be_told_once_it_was_asked_for():
    assert reasons(GREETING, QUESTION, bot("What is your order number?"), caller("It is 4711.")) == []


def test_what_the_bot_asked_to_hear_again_may_be_said_again():
    assert reasons(GREETING, QUESTION, bot("I did not understand that."), QUESTION) == []


def test_a_short_word_may_be_said_twice():
    assert reasons(GREETING, QUESTION, bot("The red one?"), YES, bot("Now?"), YES) == []


def test_a_caller_who_never_comes_to_the_point_is_told():
    (reason,) = reasons(GREETING, caller("Nice weather today."))
    assert "never asked for what it called for" in reason


@pytest.mark.parametrize("ended_by", ["max_turns", "end_call"])
def test_a_caller_who_talks_too_long_is_told(ended_by: str):
    talk = [caller("And the flat tire?"), caller("And my other wheel then?")]
    (reason,) = reasons(*talk, ended_by=ended_by, max_turns=1 if ended_by == "end_call" else 2)
    assert "did not hang up within" in reason


def test_silence_is_the_callers_fault_only_where_it_was_its_turn():
    assert reasons(GREETING, QUESTION, ended_by="silence") == []
    assert reasons(GREETING, QUESTION, ANSWER, ended_by="silence", is_silent=True) == [
        "the caller said nothing when it was its turn"
    ]
    assert reasons(GREETING) == ["the caller said nothing when it was its turn"]


@pytest.mark.parametrize(
    ("text", "is_so"),
    [("Flat tire repair cost?", True), ("I’d like to know what it costs.", True), ("Was kostet es?", True),
     ("Wieviel kostet bei euch denn diese neue Kette?", False)],
)  # fmt: skip
def test_a_language_is_told_only_where_there_is_enough_of_it(text: str, is_so: bool):
    assert is_english(text) is is_so
