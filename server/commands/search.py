"""`jarvis search`."""

import asyncio
import json
import os
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from knowledge.errors import EmptyQuestionError, KnowledgeUnavailableError
from knowledge.store import DEFAULT_COLLECTION
from knowledge.types import Passage, SearchResult
from server.commands.problems import stop_on_setup_error
from server.logging import configure
from server.processes import ONE_THREAD
from server.settings import Settings, read_settings

SEARCH_SECS = 10.0


def search(
    question: Annotated[str, typer.Argument(help="What a caller would ask.")],
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=50, help="Passages at most.")] = 4,
    collection: Annotated[str, typer.Option("--collection", "-c", help="Which documents.")] = DEFAULT_COLLECTION,
    access: Annotated[
        list[str] | None, typer.Option("--access", help="A label that the caller holds; can be given several times.")
    ] = None,
    legs: Annotated[bool, typer.Option("--legs", help="What meaning, words, letters, sounds and titles gave.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Search the documents, as a call does."""
    os.environ.update(ONE_THREAD)
    console = Console(stderr=True)
    with stop_on_setup_error(console):
        if not question.strip():
            raise EmptyQuestionError
        settings = read_settings()
        configure("WARNING")
        found = asyncio.run(
            _search(settings, question, limit=limit, collection=collection, access=access or (), explain=legs)
        )
    if as_json:
        passages = [passage.to_dict() for passage in found.passages]
        typer.echo(
            json.dumps({"question": question, "verdict": found.verdict, "passages": passages}, ensure_ascii=False)
        )
        return
    if not found.passages:
        console.print("Nothing found. `jarvis index PATH` adds documents.")
        return
    Console().print(_table(found.passages))


async def _search(
    settings: Settings,
    question: str,
    *,
    limit: int,
    collection: str,
    access: tuple[str, ...] | list[str],
    explain: bool,
) -> SearchResult:
    from knowledge.client import KnowledgeClient
    from server.commands.open_knowledge import open_knowledge

    async with AsyncExitStack() as stack:

        async def ask(socket: Path) -> SearchResult:
            client = KnowledgeClient(socket, timeout_secs=SEARCH_SECS, collection=collection, access=access)
            stack.push_async_callback(client.aclose)
            return await client.search(question, limit=limit, gated=False, explain=explain)

        if settings.knowledge_socket.exists():
            try:
                return await ask(settings.knowledge_socket)
            except KnowledgeUnavailableError:
                # The socket of a server that was killed, or that is still loading.
                pass
        opened = await stack.enter_async_context(open_knowledge(settings))
        own_socket = settings.run_dir / f"search-{os.getpid()}.sock"
        await opened.serve_search(own_socket)
        return await ask(own_socket)


def _table(passages: tuple[Passage, ...]) -> Table:
    table = Table(show_lines=True)
    for name in ("score", "similarity", "source", "passage"):
        table.add_column(name, overflow="fold")
    for p in passages:
        place = " › ".join((p.title, *p.heading_path))
        page = "" if p.page is None else f", page {p.page}"
        day = "" if p.effective_date is None else f"\nfrom {p.effective_date.isoformat()}"
        where = f"{place}\n{p.source} [{p.start}:{p.end}]{page}{day}"
        scores = [f"{p.score:.3f}", *(f"{leg} {each.stretched:.2f}" for leg, each in (p.legs or {}).items())]
        similarity = "" if p.similarity is None else f"{p.similarity:.3f}"
        table.add_row("\n".join(scores), similarity, escape(where), escape(p.text))
    return table
