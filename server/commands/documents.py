"""`jarvis documents`."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from knowledge.types import Document
from server.commands.problems import stop_on_setup_error
from server.commands.short_ids import by_prefix, short
from server.errors import SetupError
from server.logging import configure
from server.settings import read_settings

if TYPE_CHECKING:
    from knowledge.store import Store

STATUSES = ("indexing", "ready", "failed", "retired")

app = typer.Typer(invoke_without_command=True, pretty_exceptions_show_locals=False)

Id = Annotated[str, typer.Argument(metavar="ID", help="The document's id, or the first characters of it.")]


@app.callback()
def documents(
    context: typer.Context,
    collection: Annotated[str | None, typer.Option("--collection", "-c", help="Only this set of documents.")] = None,
    status: Annotated[str | None, typer.Option(help=f"Only those that are {', '.join(STATUSES)}.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """List the documents; show, retire, restore or remove them."""
    if context.invoked_subcommand is not None:
        return
    console = Console(stderr=True)
    with stop_on_setup_error(console):
        if status is not None and status not in STATUSES:
            raise SetupError(f"There is no status {status!r}. A document is {', '.join(STATUSES)}.")
        found = asyncio.run(_list(collection, status))
    if as_json:
        typer.echo(json.dumps({"documents": [_fields(each) for each in found]}, ensure_ascii=False))
        return
    if not found:
        console.print("No documents. `jarvis index PATH` adds some.", highlight=False)
        return
    Console().print(_table(found))


@app.command()
def show(
    document_id: Id, text: Annotated[bool, typer.Option("--text", help="What was read from it as well.")] = False
) -> None:
    """Show what is known of a document."""
    console = Console(stderr=True)
    with stop_on_setup_error(console):
        found, its_text = asyncio.run(_show(document_id))
    for name, value in _fields(found).items():
        typer.echo(f"{name:15}{', '.join(value) if isinstance(value, list) else '' if value is None else value}")
    if text:
        typer.echo(f"\n{its_text}")


@app.command()
def retire(document_id: Id) -> None:
    """Keep a document, but answer nothing from it any more."""
    _say("retired", [_change(document_id, retired=True)])


@app.command()
def restore(document_id: Id) -> None:
    """Answer from a retired document again."""
    _say("restored", [_change(document_id, retired=False)])


@app.command()
def remove(
    document_ids: Annotated[list[str], typer.Argument(metavar="ID…", help="Ids, or the first characters of them.")],
) -> None:
    """Remove documents; indexing their files or pages again brings them back."""
    with stop_on_setup_error(Console(stderr=True)):
        removed = asyncio.run(_remove(document_ids))
    _say("removed", removed)


async def _list(collection: str | None, status: str | None) -> list[Document]:
    async with _open_store() as store:
        if collection is not None and collection not in await store.collections():
            raise SetupError(f"There is no collection {collection!r}. `jarvis documents` lists all documents.")
        return await store.list_documents(collection=collection, status=status)


async def _show(prefix: str) -> tuple[Document, str | None]:
    async with _open_store() as store:
        document = await _find(store, prefix)
        return document, await store.document_text(document.id)


def _change(prefix: str, *, retired: bool) -> Document:
    async def change() -> Document:
        async with _open_store() as store:
            document = await _find(store, prefix)
            await store.change_document(document.id, retired=retired)
            return document

    with stop_on_setup_error(Console(stderr=True)):
        return asyncio.run(change())


async def _remove(prefixes: list[str]) -> list[Document]:
    async with _open_store() as store:
        # All are looked up first: nothing is removed where one of them is not there.
        found = {document.id: document for document in [await _find(store, prefix) for prefix in prefixes]}
        for document_id in found:
            await store.remove_document(document_id)
        return list(found.values())


async def _find(store: "Store", prefix: str) -> Document:
    there = {document.id: document for document in await store.list_documents()}
    return there[by_prefix(prefix, there, noun="document")]


@asynccontextmanager
async def _open_store() -> "AsyncIterator[Store]":
    from server.commands.open_knowledge import open_knowledge

    configure("WARNING")
    async with open_knowledge(read_settings()) as opened:
        yield opened.store


def _say(what: str, documents: list[Document]) -> None:
    for document in documents:
        typer.echo(f"{what}: {document.title} ({document.source}, {short(document.id)})")


def _fields(document: Document) -> dict[str, Any]:
    """The document, as JSON can hold it."""
    return {
        name: value.isoformat() if hasattr(value, "isoformat") else _plain(value)
        for name, value in vars(document).items()
        if name != "content_hash"
    }


def _plain(value: object) -> object:
    return str(value) if isinstance(value, UUID) else list(value) if isinstance(value, tuple) else value


def _table(documents: list[Document]) -> Table:
    table = Table()
    for name in ("id", "title", "source", "collection", "status", "chunks"):
        table.add_column(name, overflow="fold")
    for each in documents:
        status = each.status if each.error is None else f"{each.status}: {each.error}"
        named = (each.title, each.source, each.collection, status)
        table.add_row(short(each.id), *map(escape, named), str(each.chunks))
    return table
