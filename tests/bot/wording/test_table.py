"""The sentences of each language."""

import re
import tomllib
from importlib import resources
from typing import Any

import pytest

from bot.wording.table import LANGUAGES, NAMES, Language, wording
from processors.naming import ENGLISH

OTHERS = [language for language in LANGUAGES if language != "en"]
PLACE = re.compile(r"\{(\w*)\}")


def table(language: Language) -> dict[str, Any]:
    file = resources.files("bot.wording").joinpath(f"{NAMES[language].lower()}.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


def places(table: dict[str, Any]) -> dict[str, list[str]]:
    """The places of each sentence, by its key."""
    found: dict[str, list[str]] = {}
    for key, said in table.items():
        if isinstance(said, dict):
            found |= {f"{key}.{name}": each for name, each in places(said).items()}
        else:
            found[key] = sorted(PLACE.findall(said)) if isinstance(said, str) else ["several"]
    return found


@pytest.mark.parametrize("language", OTHERS)
def test_each_language_has_every_sentence_with_the_same_places(language: Language):
    english = places(table("en") | {"source": ENGLISH.model_dump(mode="json")})
    assert places(table(language)) == english


@pytest.mark.parametrize("language", OTHERS)
def test_no_sentence_is_left_in_english(language: Language):
    english, other = wording("en").model_dump(), wording(language).model_dump()
    same = [key for key, said in other.items() if said == english[key]]
    assert same == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_filler_is_over_before_an_answer_has_to_wait(language: Language):
    fillers = wording(language).fillers
    assert len(set(fillers)) == len(fillers) == 3
    assert all(len(each.split()) <= 3 for each in fillers)
