"""`jarvis providers`."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bot.providers.stages import STAGES, members, name_of
from server.cli import app

SECRET = "sk-secret"
# Nothing listens there.
NOBODY = "http://127.0.0.1:9/v1"


def jarvis(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["providers", *arguments])


def rows(result: Result, *keys: str) -> Sequence[tuple[Any, ...]]:
    return [tuple(row[key] for key in keys) for row in json.loads(result.stdout)["providers"]]


@pytest.fixture
def only_openai_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is refused by nobody, since nobody is there; this host hears and speaks."""
    for name, value in {
        "OPENAI_API_KEY": SECRET,
        "OPENAI_BASE_URL": NOBODY,
        "JARVIS_STT": "embedded",
        "JARVIS_LLM": "openai",
        "JARVIS_TTS": "embedded",
    }.items():
        monkeypatch.setenv(name, value)


def test_without_a_key_this_host_does_all(monkeypatch: pytest.MonkeyPatch):
    result = jarvis("--json")
    assert result.exit_code == 0
    placed = [row[:2] for row in rows(result, "stage", "name", "place") if row[2] is not None]
    assert placed == [(stage, name_of(members(stage)[0])) for stage in STAGES]


def test_every_provider_is_listed():
    listed = set(rows(jarvis("--json"), "stage", "name"))
    assert listed == {(stage, name_of(each)) for stage in STAGES for each in members(stage)}


def test_a_table_shows_the_order_and_no_key(only_openai_answers: None):
    shown = jarvis()
    assert shown.exit_code == 0
    assert "OPENAI_API_KEY" in shown.stdout
    assert "in use" in shown.stdout
    assert SECRET not in shown.output


def test_what_each_costs_is_shown_where_it_is_set(only_openai_answers: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CARTESIA_API_KEY", SECRET)
    monkeypatch.delenv("OPENAI_BASE_URL")
    prices = {(stage, name): price for stage, name, price in rows(jarvis("--json"), "stage", "name", "price")}
    assert prices["llm", "openai"] == "$1 in, $5 out/1M"
    assert prices["tts", "cartesia"] == "$50/1M chars"
    assert (prices["llm", "extractive"], prices["llm", "anthropic"]) == ("free", None)
    monkeypatch.setenv("OPENAI_MODEL", "gpt-99")
    assert ("llm", "openai", "unknown") in rows(jarvis("--json"), "stage", "name", "price")


def test_prices_that_are_wrong_are_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("JARVIS_PRICES", "/nowhere/prices.toml")
    result = jarvis()
    assert (result.exit_code, "JARVIS_PRICES" in result.stderr) == (1, True)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [("JARVIS_TTS", "nobody", "there is no nobody"), ("JARVIS_LLM", "openai", "needs OPENAI_API_KEY")],
)
def test_an_order_that_cannot_be_is_told_beside_the_rest(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
):
    monkeypatch.setenv(variable, value)
    result = jarvis()
    assert (result.exit_code, said in result.stderr) == (1, True)
    assert "embedded" in result.stdout


@pytest.mark.integration
def test_each_that_is_set_is_asked_and_who_does_not_answer_is_told(only_openai_answers: None):
    result = jarvis("--check", "--json")
    answers = {(stage, name): check for stage, name, check in rows(result, "stage", "name", "check") if check}
    assert answers[("llm", "openai")] == {"secs": None, "error": "it can't be reached; check the network and its URL"}
    assert answers[("llm", "extractive")]["secs"] < 30
    assert answers[("tts", "embedded")]["secs"] < 30
    assert answers[("stt", "embedded")]["error"] is None
    assert answers[("stt", "moonshine")]["error"] is None
    assert result.exit_code == 1
    assert SECRET not in result.output
