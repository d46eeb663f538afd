"""`jarvis top`."""

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from server.commands.problems import stop_on_setup_error
from server.commands.ps import calls_table, server_line
from server.commands.running import NoAnswerError, Url, one_line, running_server
from server.ingress.schemas import Overview
from server.settings import read_settings


def top(
    interval: Annotated[float, typer.Option(min=0.2, max=60, help="Seconds between two looks.")] = 1.0,
    once: Annotated[bool, typer.Option("--once", help="One look, then return.")] = False,
    url: Url = None,
) -> None:
    """Watch the calls: who speaks, how fast the answers come, what they cost. Ctrl-C returns."""
    with stop_on_setup_error(Console(stderr=True)), contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_top(Console(), interval, once, url))


async def _top(console: Console, interval: float, once: bool, url: str | None) -> None:
    async with running_server(read_settings(), url) as server:
        first = screen(await server.overview(), now=datetime.now(UTC))
        if once or not console.is_terminal:
            console.print(first)
        if once:
            return
        with Live(first, console=console, screen=console.is_terminal, auto_refresh=False) as live:
            while True:
                await asyncio.sleep(interval)
                try:
                    shown = screen(await server.overview(), now=datetime.now(UTC))
                except NoAnswerError as error:
                    shown = Text(f"{error} Trying again.")
                if console.is_terminal:
                    live.update(shown, refresh=True)
                else:
                    console.print(shown)


def screen(overview: Overview, *, now: datetime) -> RenderableType:
    """Everything at one look."""
    capacity = overview.capacity
    host = (
        f"CPU {capacity.cpu_percent:.0f} % of {capacity.max_cpu_percent:.0f}, {capacity.available_mb} MB free; "
        f"a call takes {capacity.call_cpu_percent:.0f} % and {capacity.call_memory_mb:.0f} MB"
    )
    lines = [one_line(overview), host, *map(server_line, overview.servers)]
    body = calls_table(overview, now=now) if overview.sessions else Text("Nobody calls.")
    return Group(*map(Text, lines), body)
