"""How a command ends when it can't go on: with what to do, and without a traceback."""

import io

import pytest
import typer
from rich.console import Console

from knowledge.errors import EmptyQuestionError
from server.commands.problems import stop_on_setup_error
from server.errors import SetupError


def stopped(error: BaseException) -> tuple[int, str]:
    """Exit code and words of a command that meets the error."""
    said = io.StringIO()
    with pytest.raises(typer.Exit) as end, stop_on_setup_error(Console(file=said, width=200)):
        raise error
    return end.value.exit_code, said.getvalue()


@pytest.mark.parametrize("error", [SetupError("Run `make setup`."), EmptyQuestionError()])
def test_what_to_do_is_said(error: Exception):
    assert stopped(error) == (1, f"Jarvis can't go on. {error}\n")


def test_each_of_several_problems_is_said():
    several = ExceptionGroup("", [SetupError("First."), ExceptionGroup("", [SetupError("Second.")])])
    assert stopped(several) == (1, "Jarvis can't go on. First.\nJarvis can't go on. Second.\n")


def test_what_looks_like_markup_is_said_as_it_stands():
    assert "/data/[old]/x" in stopped(SetupError("/data/[old]/x can't be written to."))[1]


def test_any_other_error_is_not_hidden():
    with pytest.raises(RuntimeError), stop_on_setup_error(Console(file=io.StringIO())):
        raise RuntimeError
