"""What the bot says by itself."""

from datetime import UTC, datetime
from pathlib import Path

from bot.persona import Persona
from bot.phrases import in_answers, opening_of, spoken_alone
from bot.settings import BotSettings, Retrieval
from bot.wording.table import wording

ENGLISH = wording("en")

SETTINGS = BotSettings(
    persona=Persona(business="The Pool"), retrieval=Retrieval(socket=Path("/k")), speech_socket=Path("/s")
)

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def test_the_greeting_names_the_business_and_says_what_the_answerer_wants_known():
    assert "The Pool" in (words := opening_of(SETTINGS, at=NOON).words)
    assert SETTINGS.llm[0].notice in words


def test_what_is_said_by_itself_is_known_with_its_kind():
    assert spoken_alone(SETTINGS) == {
        opening_of(SETTINGS, at=NOON).words: "greeting", ENGLISH.no_answer: "apology",
        ENGLISH.lost_you: "apology", ENGLISH.go_on: "notice",
        ENGLISH.still_there: "notice", ENGLISH.nobody_there: "notice",
        ENGLISH.one_minute: "notice", ENGLISH.time_is_up: "notice",
        **dict.fromkeys(ENGLISH.fillers, "notice"),
        ENGLISH.goodbye: "notice", ENGLISH.take_your_time: "notice", ENGLISH.all_right: "notice",
    }  # fmt: skip


def test_what_is_said_within_answers_is_known_by_its_sentences():
    said = in_answers(ENGLISH)
    assert said[ENGLISH.only_me] == "notice"
    assert said["Could you say it again?"] == "apology"
