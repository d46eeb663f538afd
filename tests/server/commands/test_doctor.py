"""`jarvis doctor`."""

import json

import pytest
from typer.testing import CliRunner, Result

from server.cli import app

SECRET = "sk-secret"


def jarvis(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["doctor", *arguments])


def levels(result: Result) -> dict[str, str]:
    return {each["about"]: each["level"] for each in json.loads(result.stdout)["findings"]}


@pytest.fixture(autouse=True)
def a_free_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JARVIS_PORT", "0")


def test_a_first_set_up_is_looked_at_and_nothing_is_made(tmp_path):
    found = levels(jarvis("--json"))
    for about in ("settings", "data directory", "database", "Redis", "server", "providers", "address"):
        assert found[about] == "ok", about
    assert not (tmp_path / "data").exists()


def test_wrong_settings_are_an_error_with_what_is_wrong(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("JARVIS_PORT", "ninety")
    result = jarvis()
    assert (result.exit_code, "error" in result.stdout, "JARVIS_PORT" in result.stdout) == (1, True, True)


def test_databases_that_do_not_answer_are_errors_without_their_passwords(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATABASE_URL", f"postgresql://user:{SECRET}@127.0.0.1:9/jarvis")
    monkeypatch.setenv("REDIS_URL", f"redis://:{SECRET}@127.0.0.1:9/0")
    result = jarvis("--json")
    found = levels(result)
    assert (result.exit_code, found["database"], found["Redis"]) == (1, "error", "error")
    assert SECRET not in result.output


def test_a_provider_without_its_key_is_an_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("JARVIS_LLM", "openai")
    result = jarvis()
    assert (result.exit_code, "needs OPENAI_API_KEY" in result.stdout) == (1, True)


@pytest.mark.integration
def test_databases_that_answer_are_well(monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str):
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    found = levels(jarvis("--json"))
    assert (found["database"], found["Redis"], found["clock"]) == ("ok", "ok", "ok")
