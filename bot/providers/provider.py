"""What all settings of a vendor have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, SecretStr, SerializationInfo

from bot.errors import BotError

REVEAL = {"reveal": True}


def _shown(key: SecretStr, info: SerializationInfo) -> str:
    return key.get_secret_value() if info.context == REVEAL else str(key)


# A key; in JSON only where the context says so: on the control sockets, nowhere else.
Key = Annotated[SecretStr, PlainSerializer(_shown, when_used="json")]


class MissingExtraError(BotError):
    """What a provider needs is not installed."""


@contextmanager
def imported(*, extra: str) -> Iterator[None]:
    """Around the import of a vendor's SDK, which `extra` of ours brings; raises `MissingExtraError`."""
    try:
        yield
    except ImportError as error:
        message = f'The provider needs what is not installed here: pip install "jarvis[{extra}]", and start again.'
        raise MissingExtraError(message) from error


def variable(name: str, description: str, **field: Any) -> Any:
    """A field that the operator sets by this variable of the environment."""
    return Field(description=description, json_schema_extra={"variable": name}, **field)


class Provider(BaseModel):
    """A vendor's settings for one stage; a subclass has `provider`, its name, as a literal, and `build()`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: ClassVar[str]
    """As people know it."""
    extra: ClassVar[str | None] = None
    """What has to be installed with Jarvis for it, as in `jarvis[google]`."""
    preload: ClassVar[tuple[str, ...]] = ()
    """The modules to load before bots are forked."""
