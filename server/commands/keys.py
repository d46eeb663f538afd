"""`jarvis keys`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from server.auth.principal import SCOPES
from server.commands.problems import stop_on_setup_error
from server.commands.short_ids import by_prefix
from server.errors import SetupError
from server.logging import configure
from server.settings import read_settings

if TYPE_CHECKING:
    from server.auth.key_desk import KeyDesk
    from server.auth.schemas import CreatedKey, Keys, KeyState, NewKey

app = typer.Typer(no_args_is_help=True, pretty_exceptions_show_locals=False)


@app.callback()
def keys() -> None:
    """Make, list and revoke the API keys of those who use the HTTP interface."""


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Whose it is, or what for; shown in lists.")],
    scope: Annotated[
        list[str], typer.Option("--scope", "-s", help=f"What it opens; once for each of {', '.join(SCOPES)} (= all).")
    ],
    expires_days: Annotated[int | None, typer.Option(help="Days until it expires; default: never.")] = None,
    per_minute: Annotated[
        int | None, typer.Option(help="Requests a minute; default: JARVIS_KEY_PER_MINUTE.", show_default=False)
    ] = None,
    at_once: Annotated[
        int | None, typer.Option(help="Requests at once; default: JARVIS_KEY_AT_ONCE.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Make a key and print it, this once: what is kept does not tell it."""
    console = Console(stderr=True)
    with stop_on_setup_error(console):
        wanted = _wanted(
            {
                "name": name,
                "scopes": scope,
                "expires_days": expires_days,
                "per_minute": per_minute,
                "at_once": at_once,
            }
        )
        made = asyncio.run(_create(wanted))
    if as_json:
        typer.echo(made.model_dump_json())
        return
    typer.echo(made.key)
    console.print(
        f"Key {made.created.id} is made; this is the only time it is shown. Send it as `Authorization: Bearer …`.",
        highlight=False,
        soft_wrap=True,
    )


@app.command("list")
def list_keys(as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False) -> None:
    """List the keys, those that are expired or revoked as well."""
    with stop_on_setup_error(Console(stderr=True)):
        found = asyncio.run(_list())
    if as_json:
        typer.echo(found.model_dump_json())
    elif found.keys:
        Console().print(_table(found.keys))
    else:
        Console(stderr=True).print("No keys. `jarvis keys create` makes one.", highlight=False)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, or the first characters of it.")],
) -> None:
    """Revoke a key; a server that runs refuses it within five seconds."""
    with stop_on_setup_error(Console(stderr=True)):
        key = asyncio.run(_revoke(key_id))
    typer.echo(f"revoked: {key.name} ({key.id})")


def _wanted(fields: dict[str, object]) -> "NewKey":
    """The key that is wanted; raises `SetupError` that names what is wrong with it."""
    from server.auth.schemas import NewKey

    try:
        return NewKey.model_validate(fields)
    except ValidationError as error:
        wrong = [f"  {each['loc'][0]}: {each['msg']}" for each in error.errors(include_input=False)]
        raise SetupError("No such key can be made:\n" + "\n".join(dict.fromkeys(wrong))) from None


@asynccontextmanager
async def _open() -> "AsyncIterator[KeyDesk]":
    from knowledge.database import Database
    from server.auth.key_desk import KeyDesk
    from server.auth.key_store import KeyStore
    from server.resources import open_database
    from server.sql import SERVER

    configure("WARNING")
    settings = read_settings()
    settings.prepare_dirs()
    async with open_database(settings) as (_, pool):
        database = Database(pool, package=SERVER)
        await database.migrate()
        yield KeyDesk(store=KeyStore(database), per_minute=settings.key_per_minute, at_once=settings.key_at_once)


async def _create(wanted: "NewKey") -> "CreatedKey":
    async with _open() as desk:
        return await desk.create(wanted, now=datetime.now(UTC))


async def _list() -> "Keys":
    async with _open() as desk:
        return await desk.list(now=datetime.now(UTC))


async def _revoke(prefix: str) -> "KeyState":
    async with _open() as desk:
        there = {key.id: key for key in (await desk.list(now=datetime.now(UTC))).keys}
        key = there[by_prefix(prefix, there, noun="key", lister="jarvis keys list")]
        await desk.revoke(key.id)
        return key


def _table(found: "list[KeyState]") -> Table:
    table = Table()
    for name in ("id", "name", "scopes", "limits", "made", "last used", "expires", "state"):
        table.add_column(name, no_wrap=name == "id")
    for key in found:
        table.add_row(
            key.id,
            escape(key.name),
            ", ".join(key.scopes),
            f"{key.per_minute}/min, {key.at_once} at once",
            *(_day(each) for each in (key.created_at, key.last_used_at, key.expires_at)),
            key.state,
        )
    return table


def _day(at: datetime | None) -> str:
    return "never" if at is None else f"{at:%Y-%m-%d %H:%M}"
