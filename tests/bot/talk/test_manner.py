"""How the bot speaks, as a caller asks for it."""

import pytest

from bot.change import Change, ChosenVoice
from bot.talk.manner import changed
from bot.talk.requests import Request
from bot.wording.table import wording

ENGLISH = wording("en")


def at(speed: float | None) -> Change:
    return Change(tts=ChosenVoice(speed=speed))


@pytest.mark.parametrize(
    ("request_", "speed", "then"),
    [
        (Request.SLOWER, None, 0.85),
        (Request.SLOWER, 0.85, 0.7),
        (Request.SLOWER, 0.8, 0.7),
        (Request.FASTER, None, 1.15),
        (Request.FASTER, 1.4, 1.5),
        (Request.FASTER, 0.85, 1.0),
    ],
)
def test_each_request_is_one_step(request_: Request, speed: float | None, then: float):
    change, _ = changed(request_, at(speed), ENGLISH) or (None, "")
    assert change == at(then)


@pytest.mark.parametrize(
    ("request_", "speed", "said"),
    [
        (Request.SLOWER, 0.7, ENGLISH.slowest),
        (Request.SLOWER, 0.5, ENGLISH.slowest),
        (Request.FASTER, 1.5, ENGLISH.fastest),
    ],
)
def test_at_its_end_nothing_changes_and_that_is_said(request_: Request, speed: float, said: str):
    assert changed(request_, at(speed), ENGLISH) == (None, said)


@pytest.mark.parametrize(
    ("request_", "volume", "then"),
    [
        (Request.LOUDER, None, 1.6),
        (Request.LOUDER, 1.6, 2.5),
        (Request.LOUDER, 2.5, None),
        (Request.QUIETER, None, 0.62),
        (Request.QUIETER, 0.62, 0.4),
        (Request.QUIETER, 0.4, None),
    ],
)
def test_louder_and_quieter_are_steps_too(request_: Request, volume: float | None, then: float | None):
    change, _ = changed(request_, Change(tts=ChosenVoice(volume=volume)), ENGLISH) or (None, "")
    assert change == (None if then is None else Change(tts=ChosenVoice(volume=then)))


def test_a_change_names_nothing_but_what_was_asked_for():
    change, _ = changed(Request.SLOWER, Change(llm="openai", tts=ChosenVoice(voice="f5")), ENGLISH) or (None, "")
    assert change == at(0.85)


def test_what_is_about_something_else_changes_nothing():
    assert changed(Request.REPEAT, Change(), ENGLISH) is None
