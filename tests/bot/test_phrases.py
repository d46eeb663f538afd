"""What the bot says by itself."""

from datetime import UTC, datetime
from pathlib import Path

from bot.persona import Persona
from bot.phrases import (
    FILLERS,
    GO_ON,
    LOST_YOU,
    NO_ANSWER,
    NOBODY_THERE,
    ONE_MINUTE,
    ONLY_ME,
    STILL_THERE,
    TIME_IS_UP,
    in_answers,
    opening_of,
    spoken_alone,
)
from bot.settings import BotSettings, Retrieval
from bot.talk.fixed import ALL_RIGHT, GOODBYE, TAKE_YOUR_TIME

SETTINGS = BotSettings(
    persona=Persona(business="The Pool"), retrieval=Retrieval(socket=Path("/k")), speech_socket=Path("/s")
)

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def test_the_greeting_names_the_business_and_says_what_the_answerer_wants_known():
    assert "The Pool" in (words := opening_of(SETTINGS, at=NOON).words)
    assert SETTINGS.llm[0].notice in words


def test_what_is_said_by_itself_is_known_with_its_kind():
    assert spoken_alone(SETTINGS) == {
        opening_of(SETTINGS, at=NOON).words: "greeting", NO_ANSWER: "apology", LOST_YOU: "apology", GO_ON: "notice",
        STILL_THERE: "notice", NOBODY_THERE: "notice", ONE_MINUTE: "notice", TIME_IS_UP: "notice",
        **dict.fromkeys(FILLERS, "notice"),
        GOODBYE: "notice", TAKE_YOUR_TIME: "notice", ALL_RIGHT: "notice",
    }  # fmt: skip


def test_a_filler_is_over_before_an_answer_has_to_wait():
    assert len(set(FILLERS)) > 1
    assert all(len(each.split()) <= 3 for each in FILLERS)


def test_what_is_said_within_answers_is_known_by_its_sentences():
    said = in_answers()
    assert said[ONLY_ME] == "notice"
    assert said["Could you say it again?"] == "apology"
