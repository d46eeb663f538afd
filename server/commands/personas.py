"""`jarvis personas`."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.persona import Persona
from server.commands.problems import stop_on_setup_error
from server.personas import shortcomings
from server.settings import read_settings


def personas(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """List who may answer calls, and check the files that say so.

    Exits with 1 where one of them is wrong, and says what, by file and key.
    """
    console = Console(stderr=True)
    with stop_on_setup_error(console):
        settings = read_settings()
        known = settings.known_personas(bot_settings := settings.bot_settings())
    short = {name: shortcomings(each, bot_settings) for name, each in known.items()}
    if as_json:
        told = [
            {"id": name, **each.model_dump(mode="json"), "shortcomings": short[name]} for name, each in known.items()
        ]
        typer.echo(json.dumps({"personas": told}, ensure_ascii=False))
    else:
        Console().print(_table(known, now=datetime.now(UTC)))
        lacking = [f"{name} {each}." for name, told in short.items() for each in told]
        for line in lacking:
            console.print(f"[yellow]{escape(line)}[/yellow]", highlight=False, soft_wrap=True)


def _table(known: dict[str, Persona], *, now: datetime) -> Table:
    table = Table(box=None, padding=(0, 1), pad_edge=False)
    for heading in ("id", "name", "business", "language", "collection", "now"):
        table.add_column(heading)
    for name, each in known.items():
        cells = (name, each.name, each.business, each.language, each.collection or "", _now(each, now))
        table.add_row(*map(escape, cells))
    return table


def _now(persona: Persona, now: datetime) -> str:
    if persona.hours is None:
        return "always there"
    outside = persona.outside(now)
    return "open" if outside is None else "closed, answers" if outside.then == "answer" else "closed"
