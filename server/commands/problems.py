"""How commands end when they can't go on."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.markup import escape

from knowledge.errors import KnowledgeError
from server.errors import SetupError


@contextmanager
def stop_on_setup_error(console: Console) -> Iterator[None]:
    """Prints what to do and exits with 1, instead of a traceback."""
    try:
        yield
    except* (SetupError, KnowledgeError) as group:
        for error in _leaves(group):
            console.print(f"[red]Jarvis can't go on.[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None


def _leaves(group: BaseExceptionGroup[Exception]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
