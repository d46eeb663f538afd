"""What is set for OpenAI, and for what speaks its interface."""

import importlib
from pathlib import Path
from typing import Any

import pytest
from openai import NOT_GIVEN
from pydantic import SecretStr

from bot.providers.openai import OpenAILLM, OpenAISTT, OpenAITTS
from bot.providers.openai_services import OpenAIChatService, OpenAISpeechService, OpenAITranscriptionService
from tests.bot.providers.similarity import NoSimilarity

KEY = SecretStr("sk-secret")
NOWHERE = Path("/nowhere")


def llm(**settings) -> OpenAIChatService:
    service = OpenAILLM(api_key=KEY, **settings).build(instruction="Be brief.", similarity=NoSimilarity())
    assert isinstance(service, OpenAIChatService)
    return service


def test_openai_is_asked_for_the_model_that_was_set_with_our_instruction():
    settings = llm(model="llama")._settings
    assert (settings.model, settings.system_instruction) == ("llama", "Be brief.")


@pytest.mark.parametrize(
    ("settings", "extra"),
    [
        ({}, {"reasoning_effort": "none"}),
        ({"model": "gpt-5.4-mini"}, {"reasoning_effort": "none"}),
        ({"model": "gpt-4.1"}, {}),
        ({"model": "qwen3:4b"}, {}),
        ({"reasoning_effort": "low"}, {"reasoning_effort": "low"}),
    ],
)
def test_a_model_that_thinks_by_itself_is_told_not_to_unless_it_was_set(settings: dict[str, str], extra: dict):
    assert llm(**settings)._settings.extra == extra


def test_one_model_has_every_turn_where_no_fast_one_is_set():
    assert OpenAILLM(api_key=KEY).models() == {}


@pytest.mark.parametrize(
    ("settings", "fast", "smart"),
    [
        ({"fast_model": "gpt-6-mini"}, "none", "none"),
        ({"fast_model": "gpt-4.1-nano"}, NOT_GIVEN, "none"),
        ({"fast_model": "gpt-6-mini", "model": "qwen3:4b"}, "none", NOT_GIVEN),
        ({"fast_model": "gpt-6-mini", "reasoning_effort": "low"}, "none", "low"),
        ({"fast_model": "gpt-4.1-nano", "reasoning_effort": "low"}, NOT_GIVEN, "low"),
    ],
)
def test_each_model_is_told_how_long_to_think_as_it_can_be(settings: dict[str, Any], fast: object, smart: object):
    models = OpenAILLM(api_key=KEY, **settings).models()
    assert [models[kind].extra["reasoning_effort"] for kind in ("fast", "smart")] == [fast, smart]


def test_the_recogniser_hears_the_language_that_was_set():
    service = OpenAISTT(api_key=KEY, model="whisper", language="de").build(speech_socket=NOWHERE)
    assert isinstance(service, OpenAITranscriptionService)
    assert (service._settings.model, service._settings.language) == ("whisper", "de")


def test_the_voice_speaks_as_it_was_set():
    service = OpenAITTS(api_key=KEY, model="kokoro", voice="af_heart").build(speech_socket=NOWHERE)
    assert isinstance(service, OpenAISpeechService)
    assert (service._settings.model, service._settings.voice) == ("kokoro", "af_heart")


@pytest.mark.parametrize(("voice", "spoken_by"), [(None, "marin"), ("cedar", "cedar")])
def test_one_text_is_spoken_in_another_voice_and_faster(voice: str | None, spoken_by: str):
    manner = OpenAITTS(api_key=KEY).manner(voice=voice, speed=1.5)
    assert manner.given_fields() == {"voice": spoken_by, "speed": 1.5}


@pytest.mark.parametrize("provider", [OpenAISTT, OpenAILLM, OpenAITTS])
def test_what_a_provider_preloads_can_be_imported(provider: type[OpenAISTT | OpenAILLM | OpenAITTS]):
    assert [importlib.import_module(name).__name__ for name in provider.preload] == list(provider.preload)
