"""What runs without a key."""

import importlib
from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.extractive.service import ExtractiveLLMService
from bot.providers.embedded import EmbeddedSTT, EmbeddedTTS, ExtractiveLLM
from bot.speech.stt import EmbeddedSTTService
from bot.speech.tts import EmbeddedTTSService
from tests.bot.providers.similarity import NoSimilarity


def test_the_embedded_recogniser_is_built_before_anybody_listens():
    assert isinstance(EmbeddedSTT().build(speech_socket=Path("/nowhere")), EmbeddedSTTService)


def test_without_a_key_answers_are_quoted():
    assert isinstance(ExtractiveLLM().build(instruction="", similarity=NoSimilarity()), ExtractiveLLMService)


def test_a_caller_is_told_that_answers_are_quoted():
    assert "without a language model" in ExtractiveLLM().notice


def test_the_embedded_voice_speaks_as_it_was_set():
    service = EmbeddedTTS(voice="en-gb", words_per_minute=140).build(speech_socket=Path("/nowhere"))
    assert isinstance(service, EmbeddedTTSService)
    assert (service._settings.voice, service._settings.words_per_minute) == ("en-gb", 140)


@pytest.mark.parametrize("rate", [79, 401])
def test_a_rate_that_nobody_understands_is_refused(rate: int):
    with pytest.raises(ValidationError):
        EmbeddedTTS(words_per_minute=rate)


@pytest.mark.parametrize("provider", [EmbeddedSTT, ExtractiveLLM, EmbeddedTTS])
def test_what_a_provider_preloads_can_be_imported(provider: type[EmbeddedSTT | ExtractiveLLM | EmbeddedTTS]):
    assert [importlib.import_module(name).__name__ for name in provider.preload] == list(provider.preload)
