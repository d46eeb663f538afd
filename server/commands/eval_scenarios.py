"""`jarvis eval lint` and `jarvis eval run`."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from loguru import logger
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from server.commands.eval_judge import measured, model_of, title_of
from server.commands.problems import stop_on_setup_error
from server.logging import configure
from server.settings import read_settings

if TYPE_CHECKING:
    from evals.scenarios.plan import Plan
    from evals.scenarios.results import Results

SUITE = Path(__file__).parents[2] / "evals" / "suite"
STATUSES = ("passed", "failed", "pending", "invalid", "error")
FAILED, UNHELD = 1, 2

PathsArgument = Annotated[
    list[Path] | None,
    typer.Argument(help="Scenario files, and folders of them; the suite over the sample handbook where none is named."),
]


def lint(paths: PathsArgument = None) -> None:
    """Look through scenarios for keys that nobody knows, and for checks that can't fail.

    Pipecat's own loader passes over a key that it does not know, so that a misspelt check checks nothing. Exit code 1
    where anything is wrong.
    """
    files = _linted(paths)
    complaints = [each for _, found in files for each in found]
    for each in complaints:
        typer.echo(each)
    count = sum(len(file.named) for file, _ in files)
    Console(stderr=True).print(
        f"{count} scenarios in {len(files)} files, {len(complaints)} complaints", highlight=False
    )
    raise typer.Exit(FAILED if complaints else 0 if count else UNHELD)


def run(
    paths: PathsArgument = None,
    tier: Annotated[
        list[str] | None,
        typer.Option("--tier", help="Only this tier: text, audio or webrtc; can be given several times."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            help="Only scenarios of this name, * for any part, NAME:TIER for one tier; can be given several times.",
        ),
    ] = None,
    repeat: Annotated[int, typer.Option(min=1, help="How often each is held.")] = 1,
    jobs: Annotated[int, typer.Option(min=1, max=16, help="Calls at once.")] = 1,
    pending: Annotated[
        bool, typer.Option("--pending", help="Hold those whose feature is to come as well, and tell which pass.")
    ] = False,
    live: Annotated[
        bool,
        typer.Option("--live", help="Ask the vendors whose keys are set, and have a language model judge as well."),
    ] = False,
    keep: Annotated[
        Path | None,
        typer.Option(
            "--keep",
            help="Keep in this folder what each Jarvis begins with, the sample indexed, and use what is there already.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The folder for results.jsonl, junit.xml and recordings; a new one if not named."),
    ] = None,
) -> None:
    """Hold scripted conversations with the real bot, and judge them by rules.

    Starts each Jarvis that they ask for beside one that may run, with documents and databases of its own. A run that is
    cut off keeps what it has. Exit code 1 where something did not hold, 2 where something could not be held.
    """
    configure("ERROR")
    from evals.scenarios.errors import SuiteError
    from evals.scenarios.keys import NO_TELEPHONE, TIERS, Tier
    from evals.scenarios.plan import as_live, plan
    from evals.scenarios.results import Results, header

    if "sip" in (tier or ()):
        raise typer.BadParameter(f"{NO_TELEPHONE}.")
    if unknown := sorted({*(tier or ())} - {*TIERS}):
        raise typer.BadParameter(f"There is no tier {', '.join(unknown)}. Known are {', '.join(TIERS)}.")
    console = Console(stderr=True)
    tiers: list[Tier] = [each for each in TIERS if not tier or each in tier]
    suite = plan(_linted(paths), tiers=tiers, only=only or (), repeat=repeat, pending=pending)
    if nobody := [each for each in only or () if not suite.has(each)]:
        console.print(f"There is no scenario {nobody[0]} in the tiers {', '.join(tiers)}.", highlight=False)
        raise typer.Exit(UNHELD)
    if live:
        suite, left_out = as_live(suite)
        if left_out:
            console.print(f"{left_out} runs are left out: vendors don't fail when they are told.")
    if not (suite.runs or suite.pending or suite.unheld):
        console.print("There is no such scenario. `jarvis eval lint` counts those that there are.")
        raise typer.Exit(UNHELD)
    folder = out or Path("eval-results") / datetime.now().strftime("%Y%m%d-%H%M%S")
    results = Results(folder)
    providers = sorted(suite.providers)
    with stop_on_setup_error(console):
        settings = read_settings() if "live" in suite.providers or suite.is_simulated else None
        variables = settings.set_up.variables if settings and "live" in suite.providers else {}
        model = model_of(settings) if settings else None
    agreed = measured(model, console) if live else []
    try:
        head = header(providers=providers, repeat=repeat, tiers=[each for each in TIERS if each in suite.tiers])
        results.begin(head | ({"judge": [each.to_json() for each in agreed]} if agreed else {}))
    except SuiteError as error:
        console.print(f"[red]No suite.[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
        raise typer.Exit(UNHELD) from None
    console.print(f"providers: {', '.join(providers) or 'none'}", highlight=False)
    started = time.monotonic()
    try:
        _hold(suite, results, console, jobs=jobs, keep=keep, live=variables, model=model)
    except (KeyboardInterrupt, asyncio.CancelledError):
        console.print("Cut off. What was held until now is kept.")
        raise typer.Exit(130) from None
    finally:
        results.end()
        _show(results, console, secs=time.monotonic() - started)
        if agreed:
            from evals.judged.agreement import table

            console.print(table(agreed, model=title_of(model), providers="live"))
    if results.trouble is not None:
        console.print(f"[red]{escape(str(results.trouble))}[/red]", highlight=False, soft_wrap=True)
    raise typer.Exit(_exit_code(results))


def _linted(paths: list[Path] | None) -> list[Any]:
    """Each file as it was read, with all that is wrong with it."""
    configure("ERROR")
    from evals.scenarios.format import find, read
    from evals.scenarios.lint import lint as complaints_of

    files = [read(each) for each in find(paths or [SUITE])]
    return [(file, complaints_of(file)) for file in files]


def _hold(
    suite: "Plan",
    results: "Results",
    console: Console,
    *,
    jobs: int,
    keep: Path | None,
    live: Mapping[str, str],
    model: Any,
) -> None:
    from evals.scenarios.run import hold_suite
    from evals.scenarios.stand import sample

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    total = len(suite.runs) + len(suite.pending) + len(suite.unheld)
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("Starting", total=total)

        def tell(record: Mapping[str, Any]) -> None:
            progress.update(
                bar, advance=0 if record.get("x_replaced") else 1, description=escape(record["scenario_name"])
            )
            if record["x_status"] not in ("passed", "pending"):
                _tell(record, console)

        async def held() -> None:
            # Or the servers that are called would outlive this.
            holding = asyncio.current_task()
            assert holding is not None
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, holding.cancel)
            with sample(keep) as kept:
                await hold_suite(suite, results, jobs=jobs, live=live, sample=kept, model=model, on_record=tell)

        # What goes wrong in the harness is in the records.
        logger.disable("pipecat")
        try:
            asyncio.run(held())
        finally:
            logger.enable("pipecat")


def _tell(record: Mapping[str, Any], console: Console) -> None:
    again = f", {record['x_run']}" if record["x_run"] > 1 else ""
    heading = f"{record['x_status']}: {record['scenario_name']} ({record['x_tier']}{again})"
    console.print(f"[red]{escape(heading)}[/red]", highlight=False, soft_wrap=True)
    for each in record["x_failures"]:
        where = "" if each["turn"] is None else f"turn {each['turn']}, "
        line = f"  {each['file']}:{each['line']}: {where}{each['check']}: {each['reason']}"
        console.print(escape(line), highlight=False, soft_wrap=True)


def _show(results: "Results", console: Console, *, secs: float) -> None:
    from evals.scenarios.results import RESULTS

    counts = Counter((each["x_tier"], each["x_providers"], each["x_status"]) for each in results.records)
    table = Table("Tier", "Providers", *(each.capitalize() for each in STATUSES))
    for tier, providers in sorted({(tier, providers) for tier, providers, _ in counts}):
        table.add_row(tier, providers, *(str(counts[tier, providers, status]) for status in STATUSES))
    console.print(table)
    if any(each["x_run"] > 1 for each in results.records):
        from evals.report.reliability import tables

        for each in tables(results.records):
            console.print(each)
    console.print(f"{results.folder / RESULTS}, in {secs:.0f} s", highlight=False, soft_wrap=True)


def _exit_code(results: "Results") -> int:
    statuses: Sequence[str] = [each["x_status"] for each in results.records if not each.get("x_replaced")]
    if results.trouble is not None or "invalid" in statuses or "error" in statuses:
        return UNHELD
    return FAILED if "failed" in statuses else 0
