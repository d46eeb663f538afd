"""What a change of a call asks of its services."""

from pathlib import Path
from typing import Any

import pytest
from pipecat.frames.frames import Frame, ManuallySwitchServiceFrame, TTSUpdateSettingsFrame
from pydantic import SecretStr

from bot.change import Change, ChosenVoice
from bot.choices import check, check_voice, frames
from bot.errors import ChangeError
from bot.failover import Failover, answerer, listener, speaker
from bot.pipeline import Services
from bot.providers.embedded import EmbeddedTTS, ExtractiveLLM
from bot.providers.local import PiperTTS
from bot.providers.openai import OpenAILLM, OpenAITTS
from bot.settings import BotSettings, Retrieval
from bot.speech.client import SpeechAudio
from bot.speech.errors import SpeechError, SpeechRequestError, SpeechUnavailableError
from bot.speech.fake import FakeSpeech
from processors.frames import VolumeFrame
from tests.bot.providers.similarity import NoSimilarity

NOWHERE = Path("/nowhere")
KEY = SecretStr("k")
ALONE = BotSettings(retrieval=Retrieval(socket=NOWHERE), speech_socket=NOWHERE)
SEVERAL = ALONE.model_copy(
    update={
        "llm": (OpenAILLM(api_key=KEY), ExtractiveLLM()),
        "tts": (OpenAITTS(api_key=KEY), PiperTTS(base_url="http://127.0.0.1:1"), EmbeddedTTS()),
    }
)


def made(change: Change, settings: BotSettings) -> tuple[Services, list[Frame]]:
    failover = Failover(settings, report=lambda _event: None)
    services = Services(
        stt=listener(settings, failover),
        llm=answerer(settings, failover, similarity=NoSimilarity(), spoken=True),
        tts=speaker(settings, failover),
    )
    return services, frames(change, settings, services)


def manners(found: list[Frame]) -> list[tuple[Any, dict[str, Any]]]:
    return [(f.service, f.delta.given_fields()) for f in found if isinstance(f, TTSUpdateSettingsFrame) and f.delta]


def test_a_name_that_the_call_has_not_is_refused_with_those_it_has():
    with pytest.raises(ChangeError, match="no anthropic as its llm; it has openai, extractive"):
        check(Change(llm="anthropic"), SEVERAL)


def test_a_call_that_has_one_of_a_stage_can_only_keep_it():
    check(Change(tts=ChosenVoice(provider="embedded")), ALONE)
    with pytest.raises(ChangeError, match="no openai as its tts; it has embedded"):
        check(Change(tts=ChosenVoice(provider="openai")), ALONE)


def test_another_provider_is_a_switch_to_its_service_that_no_interruption_undoes():
    services, found = made(Change(llm="extractive"), SEVERAL)
    assert isinstance(switch := found[0], ManuallySwitchServiceFrame)
    assert (switch.service, switch.interruptible) == (services.llm.services[1], False)  # pyright: ignore[reportAttributeAccessIssue]


def test_where_a_call_has_one_service_there_is_nothing_to_switch():
    assert made(Change(llm="extractive"), ALONE)[1] == []


def test_a_voice_is_the_first_ones_where_nobody_is_named():
    services, found = made(Change(tts=ChosenVoice(voice="cedar")), SEVERAL)
    assert manners(found) == [(services.tts.services[0], {"voice": "cedar", "speed": 1.0})]  # pyright: ignore[reportAttributeAccessIssue]


def test_a_voice_is_the_named_ones_and_the_speed_is_everybodys():
    _, found = made(Change(tts=ChosenVoice(provider="piper", voice="amy", speed=1.2)), SEVERAL)
    told = [fields for _, fields in manners(found)]
    assert told == [
        {"voice": "marin", "speed": 1.2},
        {"voice": "amy", "speed": 1.2},
        {"voice": "en-us+f2", "words_per_minute": 198},
    ]


def test_the_one_voice_of_a_call_can_be_another():
    services, found = made(Change(tts=ChosenVoice(voice="en-gb", speed=1.0)), ALONE)
    assert manners(found) == [(services.tts, {"voice": "en-gb", "words_per_minute": 165})]


AUDIO = SpeechAudio(b"\x00\x00")


@pytest.mark.parametrize("settings", [ALONE, SEVERAL], ids=["by itself", "behind others"])
@pytest.mark.parametrize(
    ("error", "said"), [(SpeechRequestError("no"), "none of that name"), (SpeechUnavailableError("no"), "Try again")]
)
async def test_the_voice_behind_which_there_is_none_is_asked_before(
    settings: BotSettings, error: SpeechError, said: str
):
    change = Change(tts=ChosenVoice(provider="embedded", voice="nobody"))
    with pytest.raises(ChangeError, match=said):
        await check_voice(change, settings, FakeSpeech(spoken=[[error]]))


async def test_a_voice_that_speaks_is_taken():
    speech = FakeSpeech(spoken=[[AUDIO, AUDIO]])
    await check_voice(Change(tts=ChosenVoice(voice="en-gb")), ALONE, speech)
    await speech.aclose()


@pytest.mark.parametrize("tts", [ChosenVoice(voice="nobody"), ChosenVoice(provider="embedded", speed=2)])
async def test_a_vendors_voice_and_a_speed_are_asked_of_nobody(tts: ChosenVoice):
    await check_voice(Change(tts=tts), SEVERAL, FakeSpeech())


def test_a_volume_is_one_for_all_voices():
    _, found = made(Change(tts=ChosenVoice(volume=1.6)), SEVERAL)
    assert [(type(frame), getattr(frame, "volume", None)) for frame in found] == [(VolumeFrame, 1.6)]
