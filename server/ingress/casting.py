"""Who answers a call, and what its bot is told for that."""

import time
from collections.abc import Mapping

from bot.persona import Persona
from bot.settings import BotSettings
from server.errors import Problem
from server.ingress.registry import Details
from server.ingress.schemas import CreateSession


class Casting:
    """Everybody who may answer, by id, and the settings that all calls have in common."""

    def __init__(self, settings: BotSettings, personas: Mapping[str, Persona]):
        self._settings = settings
        self._personas = personas

    def details(self, wanted: CreateSession) -> Details:
        """What stays with a new call; raises a 422 `Problem` for a persona that there is not."""
        persona = self._personas.get(wanted.persona)
        if persona is None:
            raise Problem(
                422, "There is no such persona", "`jarvis personas` lists them; JARVIS_PERSONAS has a file for each."
            )
        return wanted.details(persona)

    def settings(self, details: Details, *, since_mono: float | None) -> BotSettings:
        """The settings of a call that was created with these details, and connected then, if it was."""
        limits, retrieval = self._settings.limits, self._settings.retrieval
        if since_mono is not None:
            left_secs = max(1.0, limits.max_duration_secs - max(0.0, time.monotonic() - since_mono))
            limits = limits.model_copy(update={"max_duration_secs": left_secs})
        retrieval = retrieval.model_copy(update={"collection": details.collection})
        own = {"limits": limits, "retrieval": retrieval, "chosen": details.chosen}
        # A call that lost its server may go on at one whose folder has the persona no more.
        persona = self._personas.get(details.persona, self._settings.persona)
        return self._settings.answered_by(persona).model_copy(update=own)
