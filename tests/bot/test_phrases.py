"""What the bot says by itself."""

from pathlib import Path

from bot.phrases import GO_ON, LOST_YOU, NO_ANSWER, ONLY_ME, greeting, in_answers, spoken_alone
from bot.settings import BotSettings, Persona, Retrieval
from bot.talk.fixed import ALL_RIGHT, GOODBYE, TAKE_YOUR_TIME

SETTINGS = BotSettings(
    persona=Persona(business="The Pool"), retrieval=Retrieval(socket=Path("/k")), speech_socket=Path("/s")
)


def test_the_greeting_names_the_business_and_says_what_the_answerer_wants_known():
    assert "The Pool" in greeting(SETTINGS)
    assert SETTINGS.llm[0].notice in greeting(SETTINGS)


def test_what_is_said_by_itself_is_known_with_its_kind():
    assert spoken_alone(SETTINGS) == {
        greeting(SETTINGS): "greeting", NO_ANSWER: "apology", LOST_YOU: "apology", GO_ON: "notice",
        GOODBYE: "notice", TAKE_YOUR_TIME: "notice", ALL_RIGHT: "notice",
    }  # fmt: skip


def test_what_is_said_within_answers_is_known_by_its_sentences():
    said = in_answers()
    assert said[ONLY_ME] == "notice"
    assert said["Could you say it again?"] == "apology"
