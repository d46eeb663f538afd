"""`jarvis calls`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from server.commands.problems import stop_on_setup_error
from server.commands.running import counted
from server.commands.short_ids import by_prefix
from server.errors import SetupError
from server.logging import configure
from server.records.schemas import Call, Calls, Source, Turn, WholeCall
from server.settings import read_settings

if TYPE_CHECKING:
    from server.records.erasure import Erasure
    from server.records.store import CallStore

MOST = 100_000
NAMED_CALLS = 5
SPEAKERS = {"user": "caller", "assistant": "Jarvis"}

app = typer.Typer(invoke_without_command=True, pretty_exceptions_show_locals=False)

Caller = Annotated[str | None, typer.Option(metavar="NAME", help="Whose calls, by the name they were created with.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


@app.callback()
def calls(
    context: typer.Context,
    caller: Caller = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=MOST, help="At most so many.")] = 50,
    as_json: Json = False,
) -> None:
    """List the calls that are kept, the newest first; show or erase them."""
    if context.invoked_subcommand is not None:
        return
    console = Console(stderr=True)
    with stop_on_setup_error(console):
        found = asyncio.run(_list(caller, limit))
    if as_json:
        typer.echo(found.model_dump_json())
        return
    if not found.calls:
        console.print("No calls are kept.", highlight=False)
        return
    Console().print(_table(found.calls))


@app.command()
def show(
    call_id: Annotated[str, typer.Argument(metavar="ID", help="The call's id, or the first characters of it.")],
    as_json: Json = False,
) -> None:
    """Show what was said in a call, and what the answers rest on."""
    with stop_on_setup_error(Console(stderr=True)):
        found = asyncio.run(_show(call_id))
    if as_json:
        typer.echo(found.model_dump_json())
        return
    console = Console()
    for line in _lines(found):
        console.print(escape(line), highlight=False, soft_wrap=True)


@app.command()
def erase(
    call_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The call's id, or the first characters of it.")
    ] = None,
    caller: Caller = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Erase all that is kept of a call, or of a caller's calls; those that run must be ended before."""
    with stop_on_setup_error(Console(stderr=True)):
        if (call_id is None) == (caller is None):
            raise SetupError("Say what to erase: the ID of a call, or --caller and a name.")
        erased = asyncio.run(_erase(call_id, caller, yes=yes))
    typer.echo(f"erased: {counted(erased, 'call', 'calls')}")


@asynccontextmanager
async def open_calls() -> "AsyncIterator[CallStore]":
    """The calls that are kept, beside a server that may run."""
    from knowledge.database import Database
    from server.records.store import CallStore
    from server.resources import open_database
    from server.sql import SERVER

    configure("WARNING")
    settings = read_settings()
    settings.prepare_dirs()
    async with open_database(settings) as (_, pool):
        database = Database(pool, package=SERVER)
        await database.migrate()
        yield CallStore(database)


@asynccontextmanager
async def _open_all() -> "AsyncIterator[tuple[CallStore, Erasure]]":
    from knowledge.database import Database
    from knowledge.gaps import GapStore
    from server.ingress.registry import Registry
    from server.records.erasure import Erasure
    from server.records.store import CallStore
    from server.resources import open_resources
    from server.sql import SERVER

    configure("WARNING")
    settings = read_settings()
    settings.prepare_dirs()
    async with open_resources(settings) as resources:
        knowledge, server = Database(resources.pool), Database(resources.pool, package=SERVER)
        await knowledge.migrate()
        await server.migrate()
        store = CallStore(server)
        yield store, Erasure(calls=store, gaps=GapStore(knowledge), registry=Registry(redis=resources.redis))


async def _list(caller: str | None, limit: int) -> Calls:
    async with open_calls() as store:
        return Calls.of(await store.newest(caller=caller, limit=limit + 1), limit=limit)


async def _show(prefix: str) -> WholeCall:
    async with open_calls() as store:
        call_id = await _find(store, prefix)
        row = await store.get(call_id)
        if row is None:
            raise SetupError("This call was just erased.")
        return WholeCall.of(row, await store.turns(call_id))


async def _erase(prefix: str | None, caller: str | None, *, yes: bool) -> int:
    from server.ingress.registry import RegistryGoneError
    from server.records.erasure import RunningCallError

    async with _open_all() as (store, erasure):
        try:
            if caller is not None:
                number = len(await store.ids_of(caller, limit=MOST))
                _ask(f"Erase {counted(number, 'call', 'calls')} of this caller?", yes=yes)
                return len(await erasure.caller(caller))
            call_id = await _find(store, prefix or "")
            _ask(f"Erase the call {call_id}?", yes=yes)
            return int(await erasure.call(call_id))
        except RunningCallError as error:
            raise SetupError(
                f"Nothing was erased: {', '.join(error.call_ids[:NAMED_CALLS])} still runs. `jarvis end` ends a call."
            ) from error
        except RegistryGoneError as error:
            raise SetupError(
                "Redis does not answer, so nobody knows which calls run. Erase them when it is back."
            ) from error


def _ask(question: str, *, yes: bool) -> None:
    if not yes:
        typer.confirm(question, abort=True, err=True)


async def _find(store: "CallStore", prefix: str) -> str:
    return by_prefix(prefix, await store.ids_beginning(prefix.lower(), limit=MOST), noun="call")


def _table(found: list[Call]) -> Table:
    table = Table()
    for name in ("id", "created", "for", "turns", "cut off", "v2v", "cost", "ended", "caller"):
        number = name in ("for", "turns", "cut off", "v2v", "cost")
        table.add_column(name, overflow="fold", justify="right" if number else "left")
    for each in found:
        table.add_row(
            each.id,
            each.created_at.astimezone().strftime("%Y-%m-%d %H:%M"),
            _length(each),
            str(each.turns),
            str(each.interruptions),
            "" if each.v2v_p50_ms is None else f"{each.v2v_p50_ms} ms",
            _cost(each),
            each.end_reason or "runs",
            escape(each.caller or ""),
        )
    return table


def _length(call: Call) -> str:
    """Minutes and seconds from the first word to the end; empty where there was neither."""
    if call.connected_at is None or call.ended_at is None:
        return ""
    secs = int((call.ended_at - call.connected_at).total_seconds())
    return f"{secs // 60}:{secs % 60:02}"


def _cost(call: Call) -> str:
    """In USD; with a plus where something of it has no known price, empty where nothing costs."""
    if not call.cost_usd:
        return "" if call.priced else "unknown"
    return f"${call.cost_usd:.4f}{'' if call.priced else '+'}"


def _lines(found: WholeCall) -> list[str]:
    call = found.call
    facts = {
        "id": call.id,
        "created": call.created_at.astimezone().strftime("%Y-%m-%d %H:%M:%S"),
        "ended": call.end_reason or "runs",
        "for": _length(call),
        "caller": call.caller,
        "metadata": ", ".join(f"{name}={value}" for name, value in call.metadata.items()),
        "channel": call.channel,
        "collection": call.collection,
        "v2v": None if call.v2v_p50_ms is None else f"{call.v2v_p50_ms} ms, at most {call.v2v_max_ms} ms",
        "cost": _cost(call),
        "bots": str(call.bots),
        "unsupported": str(call.unsupported or ""),
    }
    lines = [f"{name:<12}{value}" for name, value in facts.items() if value]
    for turn in found.turns:
        lines += ["", _said(turn), *(_source(source) for source in turn.sources)]
    return lines


def _said(turn: Turn) -> str:
    cut = " (cut off)" if turn.interrupted else ""
    waited = f" (after {turn.latencies['v2v']:.2f} s)" if "v2v" in turn.latencies else ""
    return f"{turn.started_at.astimezone():%H:%M:%S} {SPEAKERS[turn.role]}{waited}: {turn.text}{cut}"


def _source(source: Source) -> str:
    page = "" if source.page is None else f", page {source.page}"
    place = " > ".join([source.title, *source.heading_path])
    return f"         [{place}{page}] “{source.quote}”"
