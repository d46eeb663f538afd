"""`jarvis gaps`."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from knowledge.gaps import Gap
from server.commands.problems import stop_on_setup_error
from server.commands.short_ids import by_prefix, short
from server.errors import SetupError
from server.logging import configure
from server.settings import read_settings

if TYPE_CHECKING:
    from knowledge.jobs import Job
    from server.commands.open_knowledge import OpenKnowledge

MOST = 100_000

app = typer.Typer(invoke_without_command=True, pretty_exceptions_show_locals=False)

Id = Annotated[str, typer.Argument(metavar="ID", help="The gap's id, or the first characters of it.")]


@app.callback()
def gaps(
    context: typer.Context,
    collection: Annotated[str | None, typer.Option("--collection", "-c", help="Only of this set of documents.")] = None,
    include_closed: Annotated[bool, typer.Option("--all", help="Those that are closed as well.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """List the questions that the documents did not answer; close or answer them."""
    if context.invoked_subcommand is not None:
        return
    console = Console(stderr=True)
    with stop_on_setup_error(console):
        found = asyncio.run(_list(collection, include_closed=include_closed))
    if as_json:
        typer.echo(json.dumps({"gaps": [_fields(each) for each in found]}, ensure_ascii=False))
        return
    if not found:
        console.print("No gaps: every question was answered.", highlight=False)
        return
    Console().print(_table(found))


@app.command()
def close(gap_id: Id) -> None:
    """Close a gap; it opens again when it is asked in vain again."""
    with stop_on_setup_error(Console(stderr=True)):
        gap = asyncio.run(_close(gap_id))
    typer.echo(f"closed: {gap.question} ({short(gap.id)})")


@app.command()
def answer(
    gap_id: Id,
    text: Annotated[str | None, typer.Argument(help="The answer, as Markdown or plain text.")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", exists=True, dir_okay=False, help="A file that holds the answer.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="The document's title; the question where none is given.")] = None,
) -> None:
    """Answer a gap: the answer becomes a document, and the gap is closed by it."""
    console = Console(stderr=True)
    with stop_on_setup_error(console):
        job, gap = asyncio.run(_answer(gap_id, _said(text, file), title))
    if job.state == "done":
        typer.echo(f"answered: {gap.question} ({short(gap.id)})")
        return
    reasons = [failure.reason for failure in job.failures] or [job.error or "the log says why."]
    console.print(f"[red]not answered:[/red] {escape(' '.join(reasons))}", highlight=False, soft_wrap=True)
    raise typer.Exit(1)


def _said(text: str | None, file: Path | None) -> str:
    """The answer, from where it is given."""
    if (text is None) == (file is None):
        raise SetupError("Give the answer as TEXT or with --file, not both.")
    try:
        said = text if file is None else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{file} can't be read as text. Check the file.") from error
    if not said or not said.strip():
        raise SetupError("The answer is empty. Say something.")
    return said


@asynccontextmanager
async def _open() -> "AsyncIterator[OpenKnowledge]":
    from server.commands.open_knowledge import open_knowledge

    configure("WARNING")
    async with open_knowledge(read_settings()) as opened:
        yield opened


async def _list(collection: str | None, *, include_closed: bool) -> list[Gap]:
    async with _open() as opened:
        if collection is not None and collection not in await opened.store.collections():
            raise SetupError(f"There is no collection {collection!r}. `jarvis gaps` lists the gaps of all.")
        state = None if include_closed else "open"
        return await opened.gaps.list(collection=collection, state=state, limit=MOST)


async def _close(prefix: str) -> Gap:
    async with _open() as opened:
        gap = await _find(opened, prefix)
        await opened.gaps.close(gap.id)
        return gap


async def _answer(prefix: str, text: str, title: str | None) -> "tuple[Job, Gap]":
    from server.rag.answers import answer as queue_answer

    async with _open() as opened:
        gap = await _find(opened, prefix)
        job_id = await queue_answer(gap, text=text, title=title, queue=await opened.queue())
        return await opened.done(job_id), gap


async def _find(opened: "OpenKnowledge", prefix: str) -> Gap:
    there = {gap.id: gap for gap in await opened.gaps.list(state=None, limit=MOST)}
    return there[by_prefix(prefix, there, noun="gap")]


def _fields(gap: Gap) -> dict[str, Any]:
    """The gap, as JSON can hold it."""
    return asdict(gap) | {
        "id": str(gap.id),
        "document_id": gap.document_id and str(gap.document_id),
        "first_at": gap.first_at.isoformat(),
        "last_at": gap.last_at.isoformat(),
    }


def _table(gaps: list[Gap]) -> Table:
    table = Table()
    for name in ("id", "question", "asked", "last", "nearest document", "state"):
        table.add_column(name, overflow="fold")
    for each in gaps:
        nearest = each.passages[0].title if each.passages else ""
        last = each.last_at.astimezone().strftime("%Y-%m-%d %H:%M")
        table.add_row(short(each.id), escape(each.question), str(each.count), last, escape(nearest), each.state)
    return table
