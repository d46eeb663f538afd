"""Placeholder of the waiting line."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    ticket: str
    position: int


class WaitingLine:
    def __init__(self, *, redis: Any, length: int): ...
    async def join(self) -> Place | None:
        return None

    async def renew(self, ticket: str) -> Place | None:
        return None

    async def leave(self, ticket: str) -> None: ...
    async def count(self) -> int:
        return 0
