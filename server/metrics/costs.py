"""What the calls and requests of this server used and what it cost, by vendor."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge

from bot.providers.prices import UNITS
from bot.providers.stages import STAGES
from server.metrics.calls import PROVIDERS


class CostMetrics:
    """Counts what `DayBudget` adds up."""

    def __init__(self, registry: CollectorRegistry):
        self._usage = Counter(
            "jarvis_usage_total",
            "What providers did: seconds of audio heard, tokens, characters spoken",
            ["stage", "provider", "unit"],
            registry=registry,
        )
        self._usd = Counter(
            "jarvis_cost_usd_total",
            "What that costs at list price, in USD; nothing where no price is known",
            ["stage", "provider"],
            registry=registry,
        )
        self._day = Gauge(
            "jarvis_day_cost_usd", "What calls cost today (UTC), of all servers on the database", registry=registry
        )
        self._caps = Gauge(
            "jarvis_budget_usd", "What a call, and a day, may cost, where that is set", ["per"], registry=registry
        )

    def caps(self, *, call: Decimal | None, day: Decimal | None) -> None:
        """What is set."""
        for per, cap in (("call", call), ("day", day)):
            if cap is not None:
                self._caps.labels(per).set(float(cap))

    def spent_today(self, usd: Decimal) -> None:
        """The day's sum."""
        self._day.set(float(usd))

    def spent(self, event: Mapping[str, Any]) -> None:
        """Counts a `usage` (bot/usage.py)."""
        for each in event["added"]:
            stage, provider = each["stage"], each["provider"]
            if stage not in STAGES or provider not in PROVIDERS[stage]:
                continue
            self._usd.labels(stage, provider).inc(float(each["usd"]))
            for unit in UNITS[stage]:
                self._usage.labels(stage, provider, unit).inc(each["units"].get(unit, 0))
