"""`jarvis index`."""

import asyncio
import os
import re
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from knowledge.jobs import IndexRequest, Job
from knowledge.store import DEFAULT_COLLECTION
from server.commands.problems import stop_on_setup_error
from server.logging import configure
from server.processes import ONE_THREAD
from server.settings import Settings, read_settings

OUTCOMES = ("added", "changed", "unchanged", "moved", "removed", "failed")
_URL = re.compile(r"https?://", re.IGNORECASE)


def index(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="Files, folders, web pages (https://…) and sitemaps: Markdown, text, HTML, PDF, DOCX, CSV."
        ),
    ],
    collection: Annotated[
        str, typer.Option("--collection", "-c", help="The set of documents that they are searched with.")
    ] = DEFAULT_COLLECTION,
    access: Annotated[
        list[str] | None,
        typer.Option("--access", help="Only callers with this label may hear of them; can be given several times."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar; problems only.")] = False,
) -> None:
    """Index documents, so that calls are answered from them.

    Unchanged documents are skipped. A file that has gone from a folder named here goes from the index as well, and so
    does a page that has gone from a sitemap. Ctrl-C stops watching; a running server, or the next one, goes on.
    Exit code 1 when a document could not be read; the others are indexed all the same.
    """
    os.environ.update(ONE_THREAD)
    console = Console(stderr=True)
    with stop_on_setup_error(console):
        settings = read_settings()
        configure("WARNING")
        request = IndexRequest(
            collection=collection,
            paths=tuple(str(Path(each).absolute()) for each in sources if not _URL.match(each)),
            urls=tuple(each for each in sources if _URL.match(each)),
            access=None if access is None else tuple(access),
        )
        job = asyncio.run(_index(settings, request, console, quiet=quiet))
    _report(job, console, quiet=quiet)
    if job.state == "failed":
        raise typer.Exit(1)


async def _index(settings: Settings, request: IndexRequest, console: Console, *, quiet: bool) -> Job:
    from server.commands.open_knowledge import open_knowledge

    async with open_knowledge(settings) as opened:
        job_id = await (await opened.queue()).submit(request)
        with Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
            console=console, disable=quiet, transient=True,
        ) as progress:  # fmt: skip
            task = progress.add_task("Waiting", total=None)

            def show(job: Job) -> None:
                described = "Waiting" if job.state == "queued" else "Indexing"
                progress.update(task, total=job.total or None, completed=job.done, description=described)

            return await opened.done(job_id, progress=show)


def _report(job: Job, console: Console, *, quiet: bool) -> None:
    for failure in job.failures:
        said = escape(f"{failure.source}: {failure.reason}")
        console.print(f"[red]not indexed:[/red] {said}", highlight=False, soft_wrap=True)
    unnamed = job.counts.get("failed", 0) - len(job.failures)
    if unnamed > 0:
        console.print(f"and {unnamed} more; `jarvis documents --status failed` lists them", highlight=False)
    if job.error is not None:
        console.print(f"[red]stopped:[/red] {escape(job.error)}", highlight=False, soft_wrap=True)
    if not quiet:
        counted = ", ".join(f"{job.counts.get(outcome, 0)} {outcome}" for outcome in OUTCOMES)
        console.print(counted, highlight=False)
