"""The command line: what each command says of itself, and of what it can't do."""

import pytest
from typer.testing import CliRunner, Result

from server.cli import app


def jarvis(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ([], "answers calls from your own documents"),
        (["run"], "print the call link"),
        (["index"], "Unchanged documents are skipped"),
        (["search"], "as a call does"),
        (["call"], "without a microphone"),
        (["providers"], "in which order calls use them"),
        (["doctor"], "what to do"),
        (["eval"], "Measure"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_every_command_explains_itself(command: list[str], said: str, flag: str):
    result = jarvis(*command, flag)
    assert result.exit_code == 0
    assert said in result.output


def test_jarvis_alone_explains_itself():
    assert "Usage" in jarvis().output


@pytest.mark.parametrize(
    "arguments", [["index"], ["search"], ["search", "x", "--limit", "0"], ["run", "--port", "x"], ["fly"]]
)
def test_a_command_that_is_not_one_is_a_usage_error(arguments: list[str]):
    assert jarvis(*arguments).exit_code == 2


@pytest.mark.parametrize("arguments", [["run"], ["index", "."], ["search", "x"], ["call", "x"]])
def test_a_wrong_setting_is_named_and_nothing_is_started(arguments: list[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("JARVIS_PORT", "ninety")
    result = jarvis(*arguments)
    assert result.exit_code == 1
    assert "JARVIS_PORT" in result.output
    assert "Traceback" not in result.output


def test_an_empty_question_is_not_searched():
    result = jarvis("search", " ")
    assert (result.exit_code, "The question is empty" in result.output) == (1, True)
