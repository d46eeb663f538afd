"""`jarvis top`."""

import asyncio
import contextlib
import os
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from server.commands.problems import stop_on_setup_error
from server.commands.ps import calls_table, server_line
from server.commands.running import NoAnswerError, RefusedError, RunningServer, Url, one_line, running_server
from server.ingress.schemas import Overview
from server.settings import read_settings


def top(
    interval: Annotated[float, typer.Option(min=0.2, max=60, help="Seconds between two looks.")] = 1.0,
    once: Annotated[bool, typer.Option("--once", help="One look, then return.")] = False,
    url: Url = None,
) -> None:
    """Watch the calls: who speaks, how fast the answers come, what they cost. q or Ctrl-C returns."""
    with stop_on_setup_error(Console(stderr=True)), contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_top(Console(), interval, once, url))


async def _top(console: Console, interval: float, once: bool, url: str | None) -> None:
    async with running_server(read_settings(), url) as server:
        shown = screen(await server.overview(), now=datetime.now(UTC))
        if once or not console.is_terminal:
            console.print(shown)
            while not once:
                await asyncio.sleep(interval)
                console.print(await _look(server))
            return
        with _q_typed() as quit_typed, Live(shown, console=console, screen=True, auto_refresh=False) as live:
            while not quit_typed.is_set():
                live.update(await _look(server), refresh=True)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(quit_typed.wait(), interval)


async def _look(server: RunningServer) -> RenderableType:
    try:
        return screen(await server.overview(), now=datetime.now(UTC))
    except (NoAnswerError, RefusedError) as error:
        return Text(f"{error} Trying again.")


@contextmanager
def _q_typed() -> Iterator[asyncio.Event]:
    """Set when q is typed, or when the terminal is closed; never where keys come from no terminal."""
    typed = asyncio.Event()
    if not sys.stdin.isatty():
        yield typed
        return
    keyboard, loop = sys.stdin.fileno(), asyncio.get_running_loop()
    before = termios.tcgetattr(keyboard)

    def on_key() -> None:
        keys = os.read(keyboard, 64)
        if not keys or b"q" in keys.lower():
            typed.set()
            loop.remove_reader(keyboard)

    tty.setcbreak(keyboard)
    loop.add_reader(keyboard, on_key)
    try:
        yield typed
    finally:
        loop.remove_reader(keyboard)
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)


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
