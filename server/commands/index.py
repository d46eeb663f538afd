"""`jarvis index`."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from server.commands.problems import stop_on_setup_error
from server.logging import configure
from server.processes import ONE_THREAD
from server.settings import Settings, read_settings


def index(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders: Markdown and text.")],
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar; problems only.")] = False,
) -> None:
    """Index documents, so that calls are answered from them.

    Unchanged files are skipped. A file that has gone from a folder named here goes from the index as well.
    Exit code 1 when a document could not be read; the others are indexed all the same.
    """
    os.environ.update(ONE_THREAD)
    console = Console(stderr=True)
    with stop_on_setup_error(console):
        settings = read_settings()
        configure("WARNING")
        failed = asyncio.run(_index(settings, [path.absolute() for path in paths], console, quiet=quiet))
    if failed:
        raise typer.Exit(1)


async def _index(settings: Settings, paths: list[Path], console: Console, *, quiet: bool) -> int:
    from knowledge.embedders.minilm import MiniLmEmbedder, ensure_built
    from knowledge.ingest import IngestProgress, ingest
    from knowledge.store import Store
    from server.resources import open_database

    settings.prepare_dirs()
    async with open_database(settings) as (_, pool):
        store = Store(pool)
        await store.migrate()
        await ensure_built(settings.models_dir)
        embedder = await asyncio.to_thread(MiniLmEmbedder, models_dir=settings.models_dir)
        with Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
            console=console, disable=quiet, transient=True,
        ) as progress:  # fmt: skip
            task = progress.add_task("Indexing", total=None)

            def show(at: IngestProgress) -> None:
                progress.update(task, total=at.total, completed=at.done, description=Path(at.source).name)

            report = await ingest(paths, store=store, embedder=embedder, on_progress=show)
    for failure in report.failed:
        said = escape(f"{failure.source}: {failure.reason}")
        console.print(f"[red]not indexed:[/red] {said}", highlight=False, soft_wrap=True)
    if not quiet:
        console.print(
            f"{report.added} added, {report.changed} changed, {report.unchanged} unchanged, {report.removed} removed, "
            f"{len(report.failed)} failed",
            highlight=False,
        )
    return len(report.failed)
