"""What a provider's work costs: one table, `prices.toml`, whose rows the operator's own can take the place of."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bot.providers.provider import Provider
from bot.providers.stages import Stage, members, name_of

MILLION = Decimal(1_000_000)
MINUTE_SECS = Decimal(60)
# What is priced in a stage; the first names must be there.
UNITS: Mapping[Stage, tuple[str, ...]] = {
    "stt": ("audio_secs",),
    "llm": ("input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens"),
    "tts": ("characters",),
}
_PRICED: Mapping[Stage, tuple[str, ...]] = {
    "stt": ("audio_minute",),
    "llm": ("input_tokens", "output_tokens"),
    "tts": ("characters",),
}
_RATES = ("audio_minute", "input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "characters")
# By what providers of a stage are compared: an answer reads about ten times what it says.
_TYPICAL: Mapping[Stage, Mapping[str, Decimal]] = {
    "stt": {"audio_secs": MINUTE_SECS},
    "llm": {"input_tokens": Decimal(1000), "output_tokens": Decimal(100)},
    "tts": {"characters": Decimal(1000)},
}

Usd = Decimal


class Price(BaseModel):
    """One row: USD a minute of audio, or a million tokens or characters, from a day on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: Stage
    provider: str
    model: str | None = None
    since: date
    source: str = ""
    audio_minute: Usd | None = Field(default=None, ge=0)
    input_tokens: Usd | None = Field(default=None, ge=0)
    cached_tokens: Usd | None = Field(default=None, ge=0, description="read from the vendor's cache; as input if unset")
    cache_write_tokens: Usd | None = Field(default=None, ge=0, description="likewise, written to it")
    output_tokens: Usd | None = Field(default=None, ge=0)
    characters: Usd | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _is_of_its_stage(self) -> Self:
        names = [name_of(each) for each in members(self.stage)]
        if self.provider not in names:
            raise ValueError(f"there is no {self.provider} for {self.stage}; known are {', '.join(names)}")
        given = {name for name in _RATES if getattr(self, name) is not None}
        needed, known = set(_PRICED[self.stage]), {*_PRICED[self.stage], *UNITS[self.stage]}
        if missing := sorted(needed - given):
            raise ValueError(f"{self.stage} of {self.provider} lacks {' and '.join(missing)}")
        if wrong := sorted(given - known):
            raise ValueError(f"{self.stage} is not priced by {' and '.join(wrong)}")
        return self

    def usd(self, units: Mapping[str, Decimal | int]) -> Usd:
        """What so much costs; units are those of the stage (`UNITS`)."""
        return sum((self._rate(name) * amount for name, amount in units.items()), Decimal(0))

    @property
    def is_free(self) -> bool:
        """Whether nothing of it costs anything."""
        return not any(getattr(self, name) for name in _RATES)

    @property
    def typical_usd(self) -> Usd:
        """What a usual portion costs, to compare those of a stage."""
        return self.usd(_TYPICAL[self.stage])

    @property
    def told(self) -> str:
        """As people read it, such as `$0.0048/min`."""
        match self.stage:
            case "stt":
                return f"${self.audio_minute:f}/min"
            case "llm":
                return f"${self.input_tokens:f} in, ${self.output_tokens:f} out/1M"
            case "tts":
                return f"${self.characters:f}/1M chars"

    def _rate(self, unit: str) -> Usd:
        if unit == "audio_secs":
            return (self.audio_minute or Decimal(0)) / MINUTE_SECS
        rate: Usd | None = getattr(self, unit)
        if rate is None:
            rate = self.input_tokens
        return (rate or Decimal(0)) / MILLION


def listed() -> tuple[Price, ...]:
    """The table as it comes with Jarvis."""
    return _rows(resources.files("bot.providers").joinpath("prices.toml").read_text(encoding="utf-8"))


def with_own(path: Path) -> tuple[Price, ...]:
    """The table with the operator's rows in the place of those that they cover.

    Raises OSError, and ValueError that says what is wrong with which row.
    """
    own = _rows(path.read_text(encoding="utf-8"))
    return (*(row for row in listed() if not any(_covers(mine, row) for mine in own)), *own)


def price_of(
    provider: Provider, stage: Stage, prices: Iterable[Price], *, model: str | None, day: date
) -> Price | None:
    """What this model of the provider costs on that day; None where nobody knows.

    A server of the operator's own costs nothing, unless a row names its model.
    """
    name = name_of(type(provider))
    rows = [
        row
        for row in prices
        if (row.stage, row.provider) == (stage, name) and row.since <= day and row.model in (None, model)
    ]
    if rows:
        return max(rows, key=lambda row: (row.model is not None, row.since))
    return _free(stage, name) if provider.is_own_server else None


def model_of(provider: Provider) -> str | None:
    """The model that is set; None where the provider has but one."""
    return getattr(provider, "model", None)


def _rows(text: str) -> tuple[Price, ...]:
    table = tomllib.loads(text, parse_float=Decimal)
    rows: Sequence[Mapping[str, Any]] = table.pop("price", [])
    if table or not isinstance(rows, list):
        raise ValueError("there are only rows [[price]] in it")
    return tuple(_row(number, row) for number, row in enumerate(rows, start=1))


def _row(number: int, row: Mapping[str, Any]) -> Price:
    try:
        return Price.model_validate(row)
    except ValidationError as error:
        found = error.errors(include_input=False, include_context=False)[0]
        where = "".join(f"{part}: " for part in found["loc"])
        raise ValueError(f"row {number}: {where}{found['msg'].removeprefix('Value error, ')}") from None


def _covers(mine: Price, row: Price) -> bool:
    return (mine.stage, mine.provider) == (row.stage, row.provider) and mine.model in (None, row.model)


def _free(stage: Stage, name: str) -> Price:
    nothing: dict[str, Any] = dict.fromkeys(_PRICED[stage], Decimal(0))
    return Price(stage=stage, provider=name, since=date.min, **nothing)
