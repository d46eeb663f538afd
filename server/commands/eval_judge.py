"""`jarvis eval judge`, and the language model that live runs ask."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bot.providers.stages import members
from server.commands.problems import stop_on_setup_error
from server.logging import configure
from server.settings import Settings, read_settings

if TYPE_CHECKING:
    from evals.judged.agreement import Agreement

UNHELD = 2


def judge(
    replies: Annotated[
        Path | None, typer.Option(help="Labelled replies, a JSON object a line; those over the sample handbook else.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Measure how far the language model that judges live runs agrees with a hundred replies labelled by hand.

    Asks the vendor whose key is set, once a reply. Beside it, what rules alone make of the same replies, and what both
    together do, as in a live run. Exit code 2 where there is no model, or it gives no verdict.
    """
    from evals.judged.agreement import table, to_json

    configure("ERROR")
    console = Console(stderr=True)
    with stop_on_setup_error(console):
        model = model_of(read_settings())
    found = measured(model, console, replies)
    if as_json:
        typer.echo(to_json(found, model=title_of(model), providers="live"))
        return
    Console(width=max(130, Console().width)).print(table(found, model=title_of(model), providers="live"))
    for each in found[:1]:
        typer.echo(f"judged otherwise: {', '.join(each.missed) or 'none'}")


def measured(model: Any, console: Console, replies: Path | None = None) -> "list[Agreement]":
    """What the judge makes of labelled replies; ends the command where there is no judge, or it gives no verdict."""
    from evals.judged.agreement import REPLIES, agreement, read_replies
    from evals.judged.errors import JudgedError
    from evals.judged.model import NO_MODEL

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        if model is None:
            raise JudgedError(NO_MODEL)
        labelled = read_replies(replies or REPLIES)
        with Progress(*columns, console=console, transient=True) as progress:
            bar = progress.add_task("Judging labelled replies", total=len(labelled))
            return asyncio.run(agreement(model, labelled, on_reply=lambda: progress.advance(bar)))
    except JudgedError as error:
        console.print(f"[red]No judge.[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
        raise typer.Exit(UNHELD) from None


def model_of(settings: Settings) -> Any:
    """The settings of the preferred language model; None where only the embedded answerer is there."""
    first = settings.set_up.chosen("llm")[0]
    return None if isinstance(first, members("llm")[0]) else first


def title_of(model: Any) -> str:
    """Who judges, by vendor and model, and by the server where the operator names one."""
    at = urlsplit(model.base_url) if model.is_own_server else None
    return f"{model.provider} {model.model}" + (f" at {at.hostname}:{at.port}" if at else "")
