"""`jarvis end`."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from server.commands.problems import stop_on_setup_error
from server.commands.running import Url, running_server
from server.commands.short_ids import by_prefix
from server.errors import SetupError
from server.settings import read_settings


def end(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID…", help="The calls' ids, or the first characters of them.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All calls of this host.")] = False,
    url: Url = None,
) -> None:
    """End calls; their callers are told so. `jarvis ps` lists them."""
    with stop_on_setup_error(Console(stderr=True)):
        if bool(ids) == everything:
            raise SetupError("Say which calls: one or more ids (`jarvis ps` lists them), or --all.")
        gone = asyncio.run(_end(ids or [], everything, url))
    raise typer.Exit(1 if gone else 0)


async def _end(prefixes: list[str], everything: bool, url: str | None) -> int:
    """How many of them had ended before."""
    gone = 0
    async with running_server(read_settings(), url) as server:
        live = [call.id for call in (await server.overview()).sessions]
        chosen = (
            live if everything else [by_prefix(prefix, live, noun="call", lister="jarvis ps") for prefix in prefixes]
        )
        for session_id in dict.fromkeys(chosen):
            ended = await server.end(session_id)
            gone += not ended
            typer.echo(f"{'ended' if ended else 'had ended already'}: {session_id}")
    return gone
