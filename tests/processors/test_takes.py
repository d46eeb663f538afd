"""Where a take is kept."""

from typing import Any

import pytest
from pipecat.services.cartesia.tts import GenerationConfig

from processors.takes import VoiceCache
from tests.processors.shelf import Shelf

HELLO: dict[str, Any] = {
    "text": "Hello.",
    "kind": "greeting",
    "settings": {"voice": "a", "speed": 1.0},
    "rate_hz": 24_000,
}


def digest(voice: str = "v", **changed: Any) -> str:
    shelf = Shelf()
    cache = VoiceCache(takes=shelf, phrases={}, report=shelf.reports.append, voice=voice)
    return cache.place(**HELLO | changed).digest


@pytest.mark.parametrize(
    "changed",
    [
        {"voice": "w"},
        {"text": "Hello. "},
        {"text": "hello."},
        {"settings": {"voice": "b", "speed": 1.0}},
        {"settings": {"voice": "a", "speed": 1.1}},
        {"settings": {"voice": "a", "speed": GenerationConfig(speed=1.1)}},
        {"rate_hz": 16_000},
    ],
)
def test_each_voice_setting_rate_and_text_has_a_place_of_its_own(changed: dict[str, Any]):
    assert digest(**changed) != digest()


def test_the_same_has_the_same_place_and_no_word_of_the_text_is_in_it():
    assert digest() == digest()
    assert "Hello" not in digest()


@pytest.mark.parametrize(
    ("text", "alone", "kind", "common"),
    [
        ("Hello. ", True, "greeting", True),
        ("Hello.", False, "greeting", True),
        ("Something else.", True, "other", False),
        ("Something else.", False, "answer", False),
    ],
)
def test_only_what_every_caller_hears_is_common(text: str, alone: bool, kind: str, common: bool):
    cache = Shelf(phrases={"Hello.": "greeting"}).cache
    found = cache.kind(text, alone=alone)
    assert (found, cache.place(text, kind=found, settings={}, rate_hz=1).common) == (kind, common)
