"""`jarvis drain`."""

import asyncio
import time
from typing import Annotated

import typer
from rich.console import Console

from server.commands.problems import stop_on_setup_error
from server.commands.running import NoAnswerError, RunningServer, Url, running_server
from server.settings import read_settings

POLL_SECS = 1.0


def drain(
    wait: Annotated[bool, typer.Option(help="Return when the server has ended.")] = True,
    url: Url = None,
) -> None:
    """Let the server end: it takes no new calls, and ends with its last one.

    Another can be started beside it at once, at the same address; it takes the new calls.
    """
    console = Console(stderr=True)
    with stop_on_setup_error(console):
        try:
            asyncio.run(_drain(console, wait, url))
        except KeyboardInterrupt:
            console.print("The server goes on draining. `jarvis ps` shows what is left.")
            raise typer.Exit(130) from None


async def _drain(console: Console, wait: bool, url: str | None) -> None:
    async with running_server(read_settings(), url) as server:
        me = next((each.id for each in (await server.overview()).servers if each.answering), None)
        draining = await server.drain()
        calls, minutes = draining.live_sessions, draining.limit_secs / 60
        console.print(f"No new calls are taken. {calls} go on, for {minutes:.0f} minutes at most.", highlight=False)
        if wait and me is not None:
            await _until_ended(console, server, me, deadline=time.monotonic() + draining.limit_secs)


async def _until_ended(console: Console, server: RunningServer, server_id: str, *, deadline: float) -> None:
    left: int | None = None
    while time.monotonic() < deadline:
        try:
            servers = (await server.overview()).servers
        except NoAnswerError:
            break
        mine = next((each for each in servers if each.id == server_id), None)
        if mine is None:
            break
        if mine.sessions != left:
            left = mine.sessions
            console.print(f"{left} {'call goes' if left == 1 else 'calls go'} on", highlight=False)
        await asyncio.sleep(POLL_SECS)
    console.print("The server has ended.")
