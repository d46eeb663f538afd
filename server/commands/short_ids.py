"""Ids as a person types them: the first characters are enough."""

from collections.abc import Iterable
from typing import TypeVar
from uuid import UUID

from server.errors import SetupError

SHOWN_CHARACTERS = 8

Id = TypeVar("Id", UUID, str)


def short(each: UUID) -> str:
    """What is shown of an id."""
    return str(each)[:SHOWN_CHARACTERS]


def by_prefix(prefix: str, ids: Iterable[Id], *, noun: str, lister: str | None = None) -> Id:
    """The one id that begins so; raises `SetupError` where none or several do.

    `noun` is what has the id, `lister` the command that lists them where that is not `jarvis` and the plural.
    """
    found = [each for each in ids if prefix and str(each).startswith(prefix.lower())]
    if not found:
        raise SetupError(f"There is no {noun} {prefix!r}. `{lister or f'jarvis {noun}s'}` lists them with their ids.")
    if len(found) > 1:
        raise SetupError(f"{len(found)} {noun}s begin with {prefix!r}. Give more of the id.")
    return found[0]
