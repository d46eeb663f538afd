"""Engines of the operator's own."""

import importlib
from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from bot.providers.local import MoonshineSTT, PiperTTS
from bot.speech.piper import PiperTTSService
from bot.speech.recognition import Engine
from bot.speech.stt import EmbeddedSTTService

NOWHERE = Path("/nowhere")


def test_moonshine_listens_by_the_speech_process():
    service = MoonshineSTT().build(speech_socket=NOWHERE)
    assert isinstance(service, EmbeddedSTTService)
    assert service._settings.model == "moonshine-tiny-en"


def test_what_moonshine_asks_for_is_named():
    assert (MoonshineSTT.engine, MoonshineSTT.extra) == ("moonshine", "moonshine")
    assert "moonshine" in get_args(Engine)


def test_piper_speaks_in_the_voice_that_was_set():
    service = PiperTTS(base_url="http://127.0.0.1:5000", voice="en_GB-alba-medium").build(speech_socket=NOWHERE)
    assert isinstance(service, PiperTTSService)
    assert service._settings.voice == "en_GB-alba-medium"


def test_a_text_is_spoken_in_another_voice_and_as_fast_as_is_asked():
    manner = PiperTTS(base_url="http://127.0.0.1:5000").manner(voice="en_US-ryan-high", speed=1.5)
    assert isinstance(manner, PiperTTSService.Settings)
    assert (manner.voice, manner.speed) == ("en_US-ryan-high", 1.5)


def test_piper_needs_its_server():
    with pytest.raises(ValidationError, match="base_url"):
        PiperTTS.model_validate({})


def test_what_piper_preloads_can_be_imported():
    assert importlib.import_module(PiperTTS.preload[0]).PiperTTSService is PiperTTSService
