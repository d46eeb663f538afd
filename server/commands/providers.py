"""`jarvis providers`."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from loguru import logger
from rich.console import Console
from rich.markup import escape
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from bot.providers.prices import model_of, price_of
from bot.providers.stages import STAGES, Stage, members, name_of
from server.commands.problems import stop_on_setup_error
from server.errors import SetupError
from server.logging import configure
from server.settings import Settings, read_settings
from server.vendors import Listed, SetUp, listed

if TYPE_CHECKING:
    from server.commands.provider_checks import Answers

UNKNOWN = "unknown"

Prices = dict[tuple[Stage, str], str]


def providers(
    check: Annotated[bool, typer.Option("--check", help="Ask each configured one for real, side by side.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """List who can hear, answer and speak, what each needs, and in which order calls use them.

    Exits with 1 where the order can't be used as it is set, and with --check where one does not answer.
    """
    console = Console(stderr=True)
    with stop_on_setup_error(console):
        settings = read_settings()
        rows, problems = survey(settings.set_up)
        prices = priced(settings, rows)
        answers = asyncio.run(asked(settings, rows, console)) if check else {}
    if as_json:
        typer.echo(json.dumps({"providers": [_json(row, prices, answers) for row in rows], "problems": problems}))
    else:
        Console().print(_table(rows, prices, answers, with_answers=check))
        for problem in (*problems, *failures(answers)):
            console.print(f"[red]{escape(problem)}[/red]", highlight=False, soft_wrap=True)
    if problems or any(answer.error for answer in answers.values()):
        raise typer.Exit(1)


def survey(set_up: SetUp) -> tuple[list[Listed], list[str]]:
    """Every provider, and what is wrong with those that calls should use."""
    rows: list[Listed] = []
    problems: list[str] = []
    for stage in STAGES:
        try:
            found = listed(set_up, stage)
        except SetupError as error:
            problems.append(str(error))
            continue
        rows += found
        problems += [row.wrong for row in found if row.wrong is not None and row.place is not None]
    return rows, problems


def priced(settings: Settings, rows: Sequence[Listed]) -> Prices:
    """What each that calls could use costs today; raises `SetupError` where the operator's prices are wrong."""
    table, today = settings.price_table(), datetime.now(UTC).date()
    prices: Prices = {}
    for row in rows:
        if row.configured:
            provider = settings.set_up.made(row.stage, next(m for m in members(row.stage) if name_of(m) == row.name))
            price = price_of(provider, row.stage, table, model=model_of(provider), day=today)
            prices[row.stage, row.name] = UNKNOWN if price is None else "free" if price.is_free else price.told
    return prices


def failures(answers: "Answers") -> list[str]:
    """The providers that did not answer, each with why."""
    return [f"{stage} {name}: {answer.error}." for (stage, name), answer in answers.items() if answer.error is not None]


async def asked(settings: Settings, rows: Sequence[Listed], console: Console) -> "Answers":
    configure("ERROR")
    # What fails is told by the checks, in words of ours.
    logger.disable("pipecat")
    from server.commands.provider_checks import checked

    columns = (SpinnerColumn(), TextColumn("{task.description}"), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task("Asking each provider", total=sum(row.configured for row in rows))
        return await checked(settings, rows, progress=lambda _: shown.advance(task))


def _json(row: Listed, prices: Prices, answers: "Answers") -> dict[str, Any]:
    answer = answers.get((row.stage, row.name))
    return asdict(row) | {
        "price": prices.get((row.stage, row.name)),
        "check": None if answer is None else asdict(answer),
    }


def _table(rows: Sequence[Listed], prices: Prices, answers: "Answers", *, with_answers: bool) -> Table:
    # Eighty columns have room for the variables, the longest words here, where costs are below and titles are left out.
    table = Table(box=None, padding=(0, 1), collapse_padding=True, pad_edge=False)
    for name in ("", "name", "state", "needs, costs", *["answer"] * with_answers):
        table.add_column(name, no_wrap=True, justify="right" if not name else "left")
    before = None
    for row in rows:
        if row.stage != before:
            table.add_row("", f"[bold]{row.stage}[/bold]")
        place = "" if row.place is None else str(row.place)
        what = "\n".join(filter(None, (escape(_needs(row)), prices.get((row.stage, row.name)))))
        table.add_row(place, row.name, _state(row), what, *[_answer(row, answers)] * with_answers)
        before = row.stage
    return table


def _needs(row: Listed) -> str:
    extra = () if row.extra is None else (f'EXTRAS="{row.extra}"',)
    return "\n".join((*row.needs, *extra))


def _state(row: Listed) -> str:
    if row.configured:
        return "[green]in use[/green]" if row.place is not None else "ready, not chosen"
    if row.missing:
        return "[red]lacks a variable[/red]" if row.place is not None else "not set"
    return "[red]not installed[/red]" if not row.installed else "[red]wrongly set[/red]"


def _answer(row: Listed, answers: "Answers") -> str:
    answer = answers.get((row.stage, row.name))
    if answer is None:
        return ""
    if answer.secs is None:
        return "[red]fails[/red]"
    return f"[green]{answer.secs * 1000:.0f} ms[/green]"
