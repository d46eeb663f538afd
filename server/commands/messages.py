"""`jarvis messages`."""

import asyncio
import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from server.commands.calls import open_calls
from server.commands.problems import stop_on_setup_error
from server.commands.short_ids import short

MOST = 100_000


def messages(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=MOST, help="At most so many.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """List the messages that callers left, the newest first; they are erased with their calls."""
    console = Console(stderr=True)
    with stop_on_setup_error(console):
        found = asyncio.run(_newest(limit))
    if as_json:
        told = [each | {"left_at": each["left_at"].isoformat()} for each in found]
        typer.echo(json.dumps({"messages": told}, ensure_ascii=False))
    elif not found:
        console.print("No messages were left.", highlight=False)
    else:
        Console().print(_table(found))


async def _newest(limit: int) -> list[dict[str, Any]]:
    async with open_calls() as calls:
        return await calls.messages(limit=limit)


def _table(found: list[dict[str, Any]]) -> Table:
    table = Table()
    for name in ("left", "name", "contact", "message", "call"):
        table.add_column(name, overflow="fold")
    for each in found:
        left = each["left_at"].astimezone().strftime("%Y-%m-%d %H:%M")
        words = (escape(each[name]) for name in ("name", "contact", "text"))
        table.add_row(left, *words, escape(short(each["call_id"])))
    return table
