"""A cache of speech in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from processors.takes import Kind, Place, Take, VoiceCache


@dataclass
class Shelf:
    """A `TakeStore`, and what the voices that use it report."""

    phrases: Mapping[str, Kind] = field(default_factory=dict)
    takes: dict[Place, Take] = field(default_factory=dict)
    reports: list[dict[str, Any]] = field(default_factory=list)

    async def find(self, place: Place) -> Take | None:
        return self.takes.get(place)

    async def keep(self, place: Place, take: Take) -> None:
        self.takes[place] = take

    @property
    def cache(self) -> VoiceCache:
        """What a voice is given."""
        return VoiceCache(takes=self, phrases=self.phrases, report=self.reports.append, voice="v")

    @property
    def results(self) -> list[tuple[str, str]]:
        """Of each text that was looked for its kind, and whether it was found."""
        return [(report["kind"], report["result"]) for report in self.reports]
