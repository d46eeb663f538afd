"""One choice on top of another."""

import pytest
from pydantic import ValidationError

from bot.change import Change, ChosenVoice

ELEVEN = Change(tts=ChosenVoice(provider="elevenlabs", voice="Bill", speed=1.2))


def test_what_a_later_choice_says_nothing_of_stays():
    both = Change(stt="google", llm="openai").then(Change(llm="anthropic"))
    assert (both.stt, both.llm) == ("google", "anthropic")


@pytest.mark.parametrize(
    ("later", "voice", "speed"),
    [
        (ChosenVoice(speed=0.9), "Bill", 0.9),
        (ChosenVoice(voice="Ann"), "Ann", 1.2),
        (ChosenVoice(provider="cartesia"), None, 1.2),
        (ChosenVoice(provider="cartesia", voice="c-1"), "c-1", 1.2),
    ],
)
def test_a_voice_goes_with_its_provider_and_a_speed_stays(later: ChosenVoice, voice: str | None, speed: float):
    tts = ELEVEN.then(Change(tts=later)).tts
    assert (tts.voice, tts.speed) == (voice, speed)


def test_a_choice_comes_back_out_of_what_is_told_of_it():
    assert Change.model_validate(ELEVEN.model_dump(exclude_none=True)) == ELEVEN


@pytest.mark.parametrize(
    "wrong", [{"vad": "x"}, {"llm": ""}, {"tts": {"speed": 3}}, {"tts": {"voice": "a\x00b"}}, {"tts": "elevenlabs"}]
)
def test_what_is_no_choice_is_refused(wrong: dict[str, object]):
    with pytest.raises(ValidationError):
        Change.model_validate(wrong)
