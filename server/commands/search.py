"""`jarvis search`."""

import asyncio
import json
import os
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from knowledge.errors import EmptyQuestionError
from knowledge.types import Passage
from server.commands.problems import stop_on_setup_error
from server.logging import configure
from server.processes import ONE_THREAD
from server.settings import Settings, read_settings


def search(
    question: Annotated[str, typer.Argument(help="What a caller would ask.")],
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=50, help="Passages at most.")] = 4,
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
        passages = asyncio.run(_search(settings, question, limit))
    if as_json:
        typer.echo(json.dumps({"question": question, "passages": [p.to_dict() for p in passages]}, ensure_ascii=False))
        return
    if not passages:
        console.print("Nothing found. `jarvis index PATH` adds documents.")
        return
    table = Table(show_lines=True)
    for name in ("score", "similarity", "source", "passage"):
        table.add_column(name, overflow="fold")
    for p in passages:
        place = " › ".join((p.title, *p.heading_path))
        where = f"{place}\n{p.source} [{p.start}:{p.end}]"
        table.add_row(f"{p.score:.3f}", f"{p.similarity:.3f}", escape(where), escape(p.text))
    Console().print(table)


async def _search(settings: Settings, question: str, limit: int) -> list[Passage]:
    from knowledge.embedders.minilm import MiniLmEmbedder, ensure_built
    from knowledge.retriever import Retriever
    from knowledge.store import Store
    from server.resources import open_database

    settings.prepare_dirs()
    async with open_database(settings) as (_, pool):
        store = Store(pool)
        await store.migrate()
        await ensure_built(settings.models_dir)
        embedder = await asyncio.to_thread(MiniLmEmbedder, models_dir=settings.models_dir)
        retriever = Retriever(store=store, embedder=embedder)
        await retriever.refresh()
        return await retriever.search(question, limit=limit)
