"""`jarvis end`."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from server.commands.problems import stop_on_setup_error
from server.commands.running import RefusedError, Url, running_server
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
        failed = asyncio.run(_end(ids or [], everything, url))
    raise typer.Exit(1 if failed else 0)


async def _end(prefixes: list[str], everything: bool, url: str | None) -> int:
    """How many of them it did not end."""
    failed = 0
    async with running_server(read_settings(), url) as server:
        live = [call.id for call in (await server.overview()).sessions]
        chosen = (
            live if everything else [by_prefix(prefix, live, noun="call", lister="jarvis ps") for prefix in prefixes]
        )
        if not chosen:
            typer.echo("Nobody calls.")
        for session_id in dict.fromkeys(chosen):
            try:
                outcome = "ended" if await server.end(session_id) else "had ended already"
            except RefusedError as error:
                outcome = f"not ended ({error})"
            failed += outcome != "ended"
            typer.echo(f"{outcome}: {session_id}")
    return failed
