"""`jarvis eval report`, `jarvis eval compare`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

app = typer.Typer()


@app.command("report")
def report(
    results: Annotated[Path, typer.Argument(help="A results.jsonl, or the folder that has one.")],
    out: Annotated[Path | None, typer.Option("--out", help="The page; else report.html beside the results.")] = None,
) -> None:
    """Make one HTML page of results: what passed in each tier, and every run to look at and to listen to.

    The page asks nothing of any network. Short recordings are in it; long ones are played from where they are.
    """
    from evals.report.page import write_page
    from evals.report.results import read_results

    console = Console(stderr=True)
    with _stop_on_report_error(console):
        found = read_results(results)
        page = out or found.folder / "report.html"
        with console.status("Drawing the runs"):
            complaints = write_page(found, page)
        for complaint in complaints:
            console.print(f"[yellow]{escape(complaint)}[/yellow]", highlight=False, soft_wrap=True)
    typer.echo(page)


@app.command("compare")
def compare(
    before: Annotated[Path, typer.Argument(help="A results.jsonl, or the folder that has one.")],
    after: Annotated[Path, typer.Argument(help="The results to hold against them.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Say which scenarios flipped and which latencies moved between two results, and what of it is beyond chance.

    Each tier is compared for itself, over the scenarios and turns that both results have. Exit code 1 when something
    got worse beyond chance and noise, 2 when the two can't be compared.
    """
    from evals.report.compare import compare as compare_results
    from evals.report.compare_table import table
    from evals.report.results import read_results

    with _stop_on_report_error(Console(stderr=True)):
        found = compare_results(read_results(before), read_results(after))
    if as_json:
        typer.echo(json.dumps(found.to_json()))
    else:
        Console(width=max(140, Console().width)).print(table(found))
    raise typer.Exit(1 if found.got_worse else 0)


@contextmanager
def _stop_on_report_error(console: Console) -> Iterator[None]:
    """Says what is wrong and exits with 2, instead of a traceback."""
    from evals.report.errors import ReportError

    try:
        yield
    except ReportError as error:
        console.print(f"[red]No report.[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
        raise typer.Exit(2) from None
