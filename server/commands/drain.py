"""`jarvis drain`."""

import asyncio
import time
from typing import Annotated

import typer
from rich.console import Console

from server.commands.problems import stop_on_setup_error
from server.commands.running import NoAnswerError, NoServerError, RunningServer, Url, counted, running_server
from server.errors import SetupError
from server.settings import read_settings

POLL_SECS = 1.0
# For the goodbyes, and for all that the server stops, where calls ran into the limit.
STOP_SECS = 60.0


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
        calls = counted(draining.live_sessions, "call goes", "calls go")
        console.print(
            f"No new calls are taken. {calls} on, for {draining.limit_secs / 60:.0f} minutes at most.", highlight=False
        )
        if wait and me is not None:
            await _until_ended(console, server, me, deadline=time.monotonic() + draining.limit_secs + STOP_SECS)


async def _until_ended(console: Console, server: RunningServer, server_id: str, *, deadline: float) -> None:
    """Returns when the server has ended; raises `SetupError` where it has not by then."""
    left: int | None = None
    while time.monotonic() < deadline:
        try:
            now_left = await _calls_of(server, server_id)
        except NoAnswerError:
            now_left = left  # busy; it is asked again
        else:
            if now_left is None:
                console.print("The server has ended.")
                return
        if now_left != left and now_left is not None:
            console.print(f"{counted(now_left, 'call goes', 'calls go')} on", highlight=False)
        left = now_left
        await asyncio.sleep(POLL_SECS)
    raise SetupError("The server has not ended, though the time for its calls is over. Its log says why.")


async def _calls_of(server: RunningServer, server_id: str) -> int | None:
    """How many calls the server has, as it or its successor says; None where it has ended."""
    try:
        servers = (await server.overview()).servers
    except NoServerError:
        return None
    return next((each.sessions for each in servers if each.id == server_id), None)
