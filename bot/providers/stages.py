"""The stages of a call, and the vendors that each may have, read from the unions."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args, get_origin

from bot.providers.llm import LLMProvider
from bot.providers.provider import Provider
from bot.providers.stt import STTProvider
from bot.providers.tts import TTSProvider

Stage = Literal["stt", "llm", "tts"]

STAGES: tuple[Stage, ...] = get_args(Stage)
_UNIONS: dict[Stage, Any] = {"stt": STTProvider, "llm": LLMProvider, "tts": TTSProvider}


def members(stage: Stage) -> tuple[type[Provider], ...]:
    """The providers of a stage; the first is the embedded one, which runs without a key."""
    union = _UNIONS[stage]
    if get_origin(union) is Annotated:
        union = get_args(union)[0]
    return get_args(union) or (union,)


def name_of(provider: type[Provider]) -> str:
    """What the provider is called in settings."""
    return provider.model_fields["provider"].default


def variables_of(provider: type[Provider]) -> dict[str, str]:
    """The fields that the operator sets, each with its variable, in their order."""
    return {
        name: str(field.json_schema_extra["variable"])
        for name, field in provider.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and "variable" in field.json_schema_extra
    }


def needs_of(provider: type[Provider]) -> tuple[str, ...]:
    """The variables without which the provider is not configured."""
    return tuple(
        variable for name, variable in variables_of(provider).items() if provider.model_fields[name].is_required()
    )


def vendors_variables() -> frozenset[str]:
    """Every variable that a provider reads."""
    return frozenset(name for stage in STAGES for each in members(stage) for name in variables_of(each).values())
