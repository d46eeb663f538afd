"""Who speaks."""

import importlib
from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.providers.embedded import EmbeddedTTS
from bot.speech.tts import EmbeddedTTSService


def test_the_embedded_voice_speaks_as_it_was_set():
    service = EmbeddedTTS(voice="en-gb", words_per_minute=140).build(speech_socket=Path("/nowhere"))
    assert isinstance(service, EmbeddedTTSService)
    assert (service._settings.voice, service._settings.words_per_minute) == ("en-gb", 140)


def test_what_it_preloads_can_be_imported():
    assert importlib.import_module(EmbeddedTTS.preload[0]).EmbeddedTTSService is EmbeddedTTSService


@pytest.mark.parametrize("rate", [79, 401])
def test_a_rate_that_nobody_understands_is_refused(rate: int):
    with pytest.raises(ValidationError):
        EmbeddedTTS(words_per_minute=rate)
