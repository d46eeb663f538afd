"""What a call may cost, and who does its work as that comes to an end."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.providers.prices import Price, model_of, price_of
from bot.providers.provider import Provider
from bot.providers.stages import Stage, name_of

# From this share of a cap on only the cheapest vendor of each stage is asked.
CHEAP_SHARE = Decimal("0.8")

# Who may be asked: all, of those that cost money the cheapest of each stage, or only what is free.
Level = Literal["all", "cheap", "free"]
_LEVELS: Sequence[Level] = ("all", "cheap", "free")


class Budget(BaseModel):
    """What a bot is told of money, in USD: its call's cap, what the call's earlier bots spent, how the day stands."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prices: tuple[Price, ...] = ()
    call_usd: Decimal | None = Field(default=None, gt=0)
    spent_usd: Decimal = Field(default=Decimal(0), ge=0)
    day: Level = "all"


def level_of(spent: Decimal, cap: Decimal | None) -> Level:
    """Who may be asked where so much of a cap is spent."""
    if cap is None or spent < cap * CHEAP_SHARE:
        return "all"
    return "cheap" if spent < cap else "free"


def tighter(one: Level, other: Level) -> Level:
    """The level at which both hold."""
    return _LEVELS[max(_LEVELS.index(one), _LEVELS.index(other))]


def spared(
    stage: Stage, providers: Iterable[Provider], *, level: Level, prices: Sequence[Price], day: date
) -> frozenset[str]:
    """The names of those that no turn may begin on; what nobody knows the price of counts as the dearest."""
    if level == "all":
        return frozenset()
    known: Mapping[str, Price | None] = {
        name_of(type(each)): price_of(each, stage, prices, model=model_of(each), day=day) for each in providers
    }
    paid = {name: price for name, price in known.items() if price is None or not price.is_free}
    if level == "free" or not paid:
        return frozenset(paid)
    unknown = Decimal("Infinity")
    cheapest = min(paid, key=lambda name: unknown if (price := paid[name]) is None else price.typical_usd)
    return frozenset(paid) - {cheapest}
