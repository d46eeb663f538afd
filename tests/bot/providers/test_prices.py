"""What a provider's work costs, by the table and by the operator's own."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.providers.embedded import EmbeddedSTT
from bot.providers.openai import OpenAILLM, OpenAITTS
from bot.providers.prices import Price, listed, model_of, price_of, with_own
from bot.providers.provider import Provider
from bot.providers.stages import STAGES, Stage, members, name_of

DAY = date(2026, 12, 1)
KEY = SecretStr("k")
OWN = """
[[price]]
stage = "llm"
provider = "openai"
model = "llama"
since = 2026-01-01
input_tokens = 0.3
output_tokens = 0.4
"""


def price(**given: Any) -> Price:
    return Price.model_validate({"stage": "llm", "provider": "openai", "since": DAY, **given})


def default_model(provider: type[Provider]) -> str | None:
    field = provider.model_fields.get("model")
    return None if field is None else field.default


@pytest.mark.parametrize(("stage", "provider"), [(stage, each) for stage in STAGES for each in members(stage)])
def test_every_provider_has_a_price_as_it_comes(stage: Stage, provider: type[Provider]):
    settings = provider.model_construct(model=default_model(provider))
    assert price_of(settings, stage, listed(), model=default_model(provider), day=DAY) is not None


@pytest.mark.parametrize("stage", STAGES)
def test_what_runs_on_this_host_is_free(stage: Stage):
    embedded = members(stage)[0]
    found = price_of(embedded.model_construct(), stage, listed(), model=None, day=DAY)
    assert found is not None
    assert found.is_free


def test_every_row_that_costs_says_where_its_price_stands():
    assert [row for row in listed() if not row.is_free and not row.source.startswith("https://")] == []


@pytest.mark.parametrize(
    ("row", "units", "usd"),
    [
        (price(stage="stt", provider="azure", audio_minute="0.006"), {"audio_secs": Decimal(90)}, "0.009"),
        (price(input_tokens=1, output_tokens=5), {"input_tokens": 1000, "output_tokens": 200}, "0.002"),
        (price(input_tokens=1, output_tokens=5, cached_tokens="0.05"), {"cached_tokens": 1000}, "0.00005"),
        (price(input_tokens=1, output_tokens=5), {"cached_tokens": 1000, "cache_write_tokens": 1000}, "0.002"),
        (price(stage="tts", provider="cartesia", characters=50), {"characters": 16}, "0.0008"),
    ],
)
def test_units_cost_what_the_row_says(row: Price, units: dict[str, Decimal | int], usd: str):
    assert row.usd(units) == Decimal(usd)


def test_ten_million_single_tokens_cost_as_much_as_they_do_together():
    row = price(input_tokens="0.01", output_tokens=1)
    assert row.usd({"input_tokens": 1}) * 10_000_000 == row.usd({"input_tokens": 10_000_000}) == Decimal("0.1")


def test_a_price_counts_from_its_day_on():
    rows = [price(input_tokens=1, output_tokens=1), price(input_tokens=2, output_tokens=2, since=date(2027, 1, 1))]
    llm = OpenAILLM(api_key=KEY)
    found = [price_of(llm, "llm", rows, model=None, day=day) for day in (DAY, date(2027, 1, 1), date(2026, 1, 1))]
    assert [row and row.input_tokens for row in found] == [1, 2, None]


def test_a_row_of_the_model_counts_before_one_of_all():
    rows = [price(input_tokens=1, output_tokens=1, model="m"), price(input_tokens=2, output_tokens=2)]
    found = [price_of(OpenAILLM(api_key=KEY), "llm", rows, model=model, day=DAY) for model in ("m", "other")]
    assert [row and row.input_tokens for row in found] == [1, 2]


def test_a_model_that_no_row_names_has_no_price():
    assert price_of(OpenAILLM(api_key=KEY), "llm", listed(), model="gpt-99", day=DAY) is None


@pytest.mark.parametrize(("model", "free"), [("qwen3:4b", True), ("gpt-6.1-terra", False)])
def test_a_server_of_ones_own_is_free_unless_a_row_names_its_model(model: str, free: bool):
    llm = OpenAILLM(api_key=KEY, base_url="http://127.0.0.1:11434/v1", model=model)
    found = price_of(llm, "llm", listed(), model=model_of(llm), day=DAY)
    assert found is not None
    assert found.is_free is free


def test_a_provider_without_a_model_has_none():
    assert (model_of(EmbeddedSTT()), model_of(OpenAITTS(api_key=KEY, model="kokoro"))) == (None, "kokoro")


def test_rows_of_the_operator_stand_beside_the_others(tmp_path: Path):
    path = tmp_path / "prices.toml"
    path.write_text(OWN)
    assert with_own(path)[:-1] == listed()
    assert with_own(path)[-1].model == "llama"


def test_a_row_of_the_operator_takes_the_place_of_those_it_covers(tmp_path: Path):
    path = tmp_path / "prices.toml"
    path.write_text(OWN.replace('model = "llama"\n', ""))
    rows = [row for row in with_own(path) if (row.stage, row.provider) == ("llm", "openai")]
    assert [(row.model, row.input_tokens) for row in rows] == [(None, Decimal("0.3"))]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[price", "TOML|Expected"),
        (OWN.replace('"openai"', '"opnai"'), "there is no opnai for llm; known are"),
        (OWN.replace("output_tokens = 0.4", ""), "lacks output_tokens"),
        (OWN + "characters = 3", "not priced by characters"),
        (OWN.replace("0.3", "-1"), "greater than or equal to 0"),
        (OWN.replace("input_tokens", "input_token"), "Extra inputs"),
        ("currency = 'EUR'\n" + OWN, "only rows"),
    ],
)
def test_what_is_wrong_with_a_row_is_said(tmp_path: Path, text: str, said: str):
    path = tmp_path / "prices.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=said):
        with_own(path)


@pytest.mark.parametrize(
    ("stage", "provider", "told"),
    [("stt", "deepgram", "$0.0048/min"), ("llm", "openai", "$1 in, $5 out/1M"), ("tts", "cartesia", "$50/1M chars")],
)
def test_a_price_is_told_with_its_unit(stage: str, provider: str, told: str):
    assert next(row.told for row in listed() if (row.stage, row.provider) == (stage, provider)) == told


def test_every_provider_of_the_table_is_one_of_its_stage():
    known = {(stage, name_of(each)) for stage in STAGES for each in members(stage)}
    assert {(row.stage, row.provider) for row in listed()} == known
