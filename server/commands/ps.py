"""`jarvis ps`."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from server.commands.problems import stop_on_setup_error
from server.commands.running import Url, counted, one_line, running_server
from server.ingress.schemas import LiveCall, LiveServer, Overview
from server.settings import read_settings

FLOORS = {"caller": "caller speaks", "thinking": "thinking", "bot": "Jarvis speaks", "nobody": "silent"}


def ps(
    url: Url = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """List the calls that are on, and how many more fit."""
    with stop_on_setup_error(Console(stderr=True)):
        overview = asyncio.run(_overview(url))
    if as_json:
        typer.echo(overview.model_dump_json())
        return
    console = Console()
    if overview.sessions:
        console.print(calls_table(overview, now=datetime.now(UTC)))
    else:
        console.print("Nobody calls.")
    console.print(one_line(overview), highlight=False, soft_wrap=True)
    for server in overview.servers:
        console.print(server_line(server), highlight=False, soft_wrap=True)


async def _overview(url: str | None) -> Overview:
    async with running_server(read_settings(), url) as server:
        return await server.overview()


def calls_table(overview: Overview, *, now: datetime) -> Table:
    """The calls, one a row, in 80 characters; says whose each is where there are several servers."""
    several = len(overview.servers) > 1
    table = Table(box=None, padding=(0, 1), collapse_padding=True, pad_edge=False)
    for name in ("id", "state", "for", "turns", "floor", "v2v", "CPU", "memory", "bots", *["server"] * several):
        number = name in ("for", "turns", "v2v", "CPU", "memory", "bots")
        table.add_column(name, justify="right" if number else "left", no_wrap=name != "floor")
    for call in overview.sessions:
        table.add_row(*_cells(call, now), *[call.server] * several)
    return table


def server_line(server: LiveServer) -> str:
    """A server, and what it does."""
    here = " (answering)" if server.answering else ""
    has = f"{counted(server.sessions, 'call', 'calls')}, {counted(server.warm_bots, 'bot waits', 'bots wait')}"
    return f"server {server.id} at {server.address}: {server.state}, {has}{here}"


def _cells(call: LiveCall, now: datetime) -> list[str]:
    secs = max(0, int((now - (call.connected_at or call.created_at)).total_seconds()))
    return [
        call.id,
        call.state,
        f"{secs // 60}:{secs % 60:02}",
        str(call.turns),
        FLOORS[call.floor] if call.state == "connected" else "",
        _shown(call.v2v_ms, "{:.0f} ms"),
        _shown(call.cpu_percent, "{:.0f} %"),
        _shown(call.memory_mb, "{:.0f} MB"),
        str(call.bots),
    ]


def _shown(value: float | None, form: str) -> str:
    return "" if value is None else form.format(value)
