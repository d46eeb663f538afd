"""What all settings of a vendor have in common."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, SecretStr, SerializationInfo

from bot.speech.recognition import Engine

# What a language's vendors ask for is mostly a language of a country.
COUNTRIES = {"en": "en-US", "de": "de-DE", "fr": "fr-FR", "es": "es-ES"}
REVEAL = {"reveal": True}


def _shown(key: SecretStr, info: SerializationInfo) -> str:
    return key.get_secret_value() if info.context == REVEAL else str(key)


# A key; in JSON only where the context says so: on the control sockets, nowhere else.
Key = Annotated[SecretStr, PlainSerializer(_shown, when_used="json")]


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
    engine: ClassVar[Engine | None] = None
    """The recogniser that the speech process has to have for it, besides its own."""
    is_cached: ClassVar[bool] = False
    """Whether what it says is kept, to be said again."""
    preload: ClassVar[tuple[str, ...]] = ()
    """The modules to load before bots are forked."""

    english_only: ClassVar[bool] = False
    """Whether it understands, or answers, no other language."""

    def in_language(self, language: str) -> Self:
        """The same for another language ("de"), as far as it can: one that knows by itself which is spoken stays."""
        return self

    @property
    def is_own_server(self) -> bool:
        """Whether it is not the vendor who is asked, but a server that the operator names."""
        return False


def speaks(code: str, language: str) -> bool:
    """Whether a code ("en-GB") is one of a language ("en")."""
    return code.lower().partition("-")[0] == language
