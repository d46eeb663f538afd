"""`jarvis eval mutants`."""

import asyncio
import json
import signal
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from loguru import logger
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from server.commands.eval_scenarios import SUITE
from server.logging import configure

if TYPE_CHECKING:
    from evals.mutants.defects import Mutant
    from evals.mutants.run import Seen, Verdict

UNCAUGHT, UNHELD, STOPPED = 1, 2, 130
FILE = "mutants.json"
WIDTH = 150


def mutants(
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Only this mutant; can be given several times.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The folder for mutants.json and each bot's results; a new one if not named."),
    ] = None,
) -> None:
    """Hold scenarios with bots that have one deliberate defect each, and tell which defects the suite catches.

    First the scenarios are held with a whole bot: one that fails by itself catches nothing. Exit code 1 where a defect
    is not caught, 2 where nothing could be held.
    """
    configure("ERROR")
    from evals.mutants.defects import MUTANTS
    from evals.mutants.errors import MutantError
    from evals.scenarios.errors import SuiteError

    if unknown := sorted({*(only or ())} - {*MUTANTS}):
        raise typer.BadParameter(f"There is no mutant {', '.join(unknown)}. Known are {', '.join(MUTANTS)}.")
    console = Console(stderr=True)
    chosen = [each for name, each in MUTANTS.items() if not only or name in only]
    folder = out or Path("eval-results") / datetime.now().strftime("%Y%m%d-%H%M%S-mutants")
    verdicts: list[Verdict] = []

    def keep(verdict: "Verdict") -> None:
        verdicts.append(verdict)
        (folder / FILE).write_text(json.dumps([each.to_json() for each in verdicts], indent=1) + "\n")

    stopped = False
    try:
        _hold(chosen, folder, console, keep=keep)
    except (MutantError, SuiteError) as error:
        console.print(f"[red]No mutants.[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
        raise typer.Exit(UNHELD) from None
    except OSError as error:
        console.print(f"[red]{folder / FILE} can't be written ({error.strerror}).[/red]", soft_wrap=True)
        raise typer.Exit(UNHELD) from None
    except (KeyboardInterrupt, asyncio.CancelledError):
        stopped = True
        console.print("[red]Stopped.[/red] These are the mutants that were over.", highlight=False)
    Console(width=max(WIDTH, Console().width)).print(_table(verdicts))
    missed = [each.mutant.name for each in verdicts if not each.caught]
    if missed:
        console.print(f"[red]Not caught: {', '.join(missed)}.[/red]", highlight=False, soft_wrap=True)
    raise typer.Exit(STOPPED if stopped else UNCAUGHT if missed else 0)


def _hold(chosen: Sequence["Mutant"], folder: Path, console: Console, *, keep: Callable[["Verdict"], None]) -> None:
    from evals.mutants.run import hold_mutants

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    whole = {name for mutant in chosen for name in mutant.scenarios}
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("Starting", total=len(whole) + sum(len(mutant.scenarios) for mutant in chosen))

        def tell(bot: str, record: Mapping[str, Any]) -> None:
            progress.update(bar, advance=1, description=escape(f"{bot}: {record['scenario_name']}"))

        async def held() -> None:
            # Or the servers of the mutants would outlive this.
            holding = asyncio.current_task()
            assert holding is not None
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, holding.cancel)
            await hold_mutants(chosen, folder, suite=SUITE, on_record=tell, on_verdict=keep)

        # What goes wrong in the harness is in the records.
        logger.disable("pipecat")
        try:
            asyncio.run(held())
        finally:
            logger.enable("pipecat")


def _table(verdicts: Sequence["Verdict"]) -> Table:
    table = Table("Mutant", "Defect", "Scenario", "Tier", "Whole", "Broken", "Caught by")
    for verdict in verdicts:
        heading = (verdict.mutant.name, verdict.mutant.defect)
        for number, seen in enumerate(verdict.seen):
            table.add_row(*(heading if number == 0 else ("", "")), *_cells(seen), end_section=seen is verdict.seen[-1])
    return table


def _cells(seen: "Seen") -> tuple[str, ...]:
    otherwise = f"no: {', '.join(seen.failed)}" if seen.failed else "no"
    return seen.scenario, seen.tier, seen.whole, seen.broken or "not held", seen.by or otherwise
