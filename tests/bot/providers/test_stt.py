"""Who hears."""

import importlib
from pathlib import Path

from bot.providers.embedded import EmbeddedSTT
from bot.speech.stt import EmbeddedSTTService


def test_the_embedded_recogniser_is_built_before_anybody_listens():
    assert isinstance(EmbeddedSTT().build(speech_socket=Path("/nowhere")), EmbeddedSTTService)


def test_what_it_preloads_can_be_imported():
    assert importlib.import_module(EmbeddedSTT.preload[0]).EmbeddedSTTService is EmbeddedSTTService
