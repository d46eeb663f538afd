"""What is counted of money."""

from decimal import Decimal
from typing import Any

from prometheus_client import CollectorRegistry

from server.metrics.costs import CostMetrics

LLM = {"stage": "llm", "provider": "openai", "model": "m", "units": {"input_tokens": 6}, "usd": "0.5", "priced": True}
USAGE: dict[str, Any] = {"type": "usage", "added": [LLM], "usd": "0.5", "priced": True}


class Counted:
    """What is counted."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.metrics = CostMetrics(self.registry)

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)


def test_what_a_vendor_did_is_counted_by_its_unit_and_its_price():
    counted = Counted()
    counted.metrics.spent(USAGE)
    counted.metrics.spent(USAGE)
    assert counted.value("jarvis_cost_usd_total", stage="llm", provider="openai") == 1.0
    assert counted.value("jarvis_usage_total", stage="llm", provider="openai", unit="input_tokens") == 12


def test_no_report_can_make_up_a_label():
    counted = Counted()
    counted.metrics.spent(USAGE | {"added": [LLM | {"provider": "me"}, LLM | {"stage": "me"}]})
    assert [family.samples for family in counted.registry.collect() if family.name.startswith("jarvis_cost")] == [[]]


def test_the_day_and_what_is_set_are_shown():
    counted = Counted()
    counted.metrics.caps(call=None, day=Decimal(20))
    counted.metrics.spent_today(Decimal("1.5"))
    assert (counted.value("jarvis_day_cost_usd"), counted.value("jarvis_budget_usd", per="day")) == (1.5, 20.0)
    assert counted.value("jarvis_budget_usd", per="call") is None
