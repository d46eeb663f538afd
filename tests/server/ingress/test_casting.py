"""Who answers a call."""

from pathlib import Path
from typing import Any

import pytest

from bot.persona import Persona
from bot.settings import BotSettings, Limits, Retrieval
from server.errors import Problem
from server.ingress.casting import Casting
from server.ingress.registry import Details
from server.ingress.schemas import CreateSession

SETTINGS = BotSettings(
    limits=Limits(max_duration_secs=100), retrieval=Retrieval(socket=Path("/k")), speech_socket=Path("/s")
)
CASTING = Casting(SETTINGS, {"default": SETTINGS.persona, "shop": Persona(name="Ada", collection="workshop")})


@pytest.mark.parametrize(
    ("wanted", "name", "collection"),
    [
        ({}, "Jarvis", "default"),
        ({"collection": "staff"}, "Jarvis", "staff"),
        ({"persona": "shop"}, "Ada", "workshop"),
        ({"persona": "shop", "collection": "default"}, "Ada", "default"),
    ],
    ids=["nobody named", "collection", "persona", "persona and collection"],
)
def test_who_is_named_answers_from_its_own_collection_unless_the_call_names_another(
    wanted: dict[str, Any], name: str, collection: str
):
    told = CASTING.settings(CASTING.details(CreateSession(**wanted)), since_mono=None)
    assert (told.persona.name, told.retrieval.collection) == (name, collection)


def test_a_persona_that_there_is_not_is_refused():
    with pytest.raises(Problem) as problem:
        CASTING.details(CreateSession(persona="pirate"))
    assert (problem.value.status, problem.value.title) == (422, "There is no such persona")


def test_a_call_whose_persona_is_gone_goes_on_with_the_settings_own():
    told = CASTING.settings(Details(persona="gone", collection="staff"), since_mono=0.0)
    assert (told.persona, told.retrieval.collection, told.limits.max_duration_secs) == (SETTINGS.persona, "staff", 1)
