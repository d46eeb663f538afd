"""Who may still be asked as the money comes to an end."""

from datetime import date
from decimal import Decimal

import pytest
from pydantic import SecretStr

from bot.budget import Budget, Level, level_of, spared, tighter
from bot.providers.anthropic import AnthropicLLM
from bot.providers.embedded import ExtractiveLLM
from bot.providers.openai import OpenAILLM
from bot.providers.prices import listed
from bot.providers.provider import Provider

DAY = date(2026, 12, 1)
KEY = SecretStr("k")
OPENAI, ANTHROPIC, LAST = OpenAILLM(api_key=KEY), AnthropicLLM(api_key=KEY), ExtractiveLLM()
OWN = OpenAILLM(api_key=KEY, base_url="http://127.0.0.1:11434/v1", model="qwen3:4b")


def spared_of(level: Level, *providers: Provider) -> set[str]:
    return {*spared("llm", providers, level=level, prices=listed(), day=DAY)}


@pytest.mark.parametrize(
    ("spent", "cap", "level"),
    [
        ("5", None, "all"),
        ("0", "1", "all"),
        ("0.799999999", "1", "all"),
        ("0.8", "1", "cheap"),
        ("0.999999999", "1", "cheap"),
        ("1", "1", "free"),
        ("7", "1", "free"),
    ],
)
def test_a_cap_degrades_in_steps(spent: str, cap: str | None, level: Level):
    assert level_of(Decimal(spent), None if cap is None else Decimal(cap)) == level


@pytest.mark.parametrize(("one", "other", "both"), [("all", "cheap", "cheap"), ("free", "cheap", "free")])
def test_of_two_caps_the_tighter_counts(one: Level, other: Level, both: Level):
    assert (tighter(one, other), tighter(other, one)) == (both, both)


@pytest.mark.parametrize(
    ("level", "providers", "names"),
    [
        ("all", (OPENAI, ANTHROPIC, LAST), set()),
        ("cheap", (OPENAI, ANTHROPIC, LAST), {"openai"}),
        ("cheap", (OPENAI, LAST), set()),
        ("cheap", (ANTHROPIC, OWN, LAST), set()),
        ("free", (OPENAI, ANTHROPIC, LAST), {"openai", "anthropic"}),
        ("free", (ANTHROPIC, OWN, LAST), {"anthropic"}),
        ("free", (LAST,), set()),
    ],
)
def test_the_dear_are_spared_before_the_cheap_and_what_is_free_never(
    level: Level, providers: tuple[Provider, ...], names: set[str]
):
    assert spared_of(level, *providers) == names


def test_what_has_no_price_counts_as_the_dearest():
    unknown = AnthropicLLM(api_key=KEY, model="claude-99")
    assert spared_of("cheap", unknown, OPENAI, LAST) == {"anthropic"}
    assert spared_of("free", unknown, LAST) == {"anthropic"}


def test_money_comes_through_json_to_the_last_digit():
    budget = Budget(prices=listed(), call_usd=Decimal("0.1"), spent_usd=Decimal("0.000000001"), day="cheap")
    assert Budget.model_validate_json(budget.model_dump_json()) == budget
