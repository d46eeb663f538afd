"""`jarvis drill`."""

import asyncio
import json
import signal
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from bot.providers.stages import STAGES
from server.logging import configure

if TYPE_CHECKING:
    from evals.drill.measure import DrillTurn
    from evals.drill.scenarios import Scenario

# As shells have it for Ctrl-C.
STOPPED = 130


def drill(
    stage: Annotated[
        list[str] | None, typer.Option("--stage", help="Only this stage; can be given several times.")
    ] = None,
    fault: Annotated[
        list[str] | None, typer.Option("--fault", help="Only this fault; can be given several times.")
    ] = None,
    turns: Annotated[int, typer.Option(min=1, help="Turns in all, at least; none is left out.")] = 200,
    lines: Annotated[int, typer.Option(min=1, max=2, help="Calls at once.")] = 1,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write every turn and the summary there.")] = None,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="The table as Markdown.")] = False,
) -> None:
    """Have vendors fail in real calls, and measure on the audio how long callers hear nothing.

    The vendors are simulated by doubles on this host, two for each stage and the embedded one behind them; the server,
    its bots, Pipecat's services and the calls are real. Each turn must be answered once, whole and right. Starts what
    it needs beside a server that may run. Exit code 1 when a goal is missed, 130 with the table so far when stopped.
    """
    configure("ERROR")
    from evals.drill.errors import DrillError
    from evals.drill.measure import summary
    from evals.drill.run import drill as hold
    from evals.drill.scenarios import fault_names, scenarios
    from evals.drill.table import markdown, table

    console = Console(stderr=True)
    for named, known in ((stage, STAGES), (fault, fault_names())):
        if unknown := sorted({*(named or ())} - {*known}):
            raise typer.BadParameter(f"There is no {', '.join(unknown)}. Known are {', '.join(known)}.")
    calls = scenarios(stages=stage or STAGES, faults=fault or (), turns=turns)
    if not calls:
        raise typer.BadParameter("That fault is not drilled in that stage.")
    if json_out is not None and not json_out.absolute().parent.is_dir():
        raise typer.BadParameter(f"There is no folder {json_out.parent} to write into.", param_hint="--json")
    console.print("The vendors are simulated: doubles on this host, which fail as they are told to.")
    teller = _teller(console, calls)

    async def held() -> "Sequence[DrillTurn]":
        # Or the servers that are drilled would outlive this.
        holding = asyncio.current_task()
        assert holding is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, holding.cancel)
        return await hold(calls, lines=lines, on_turns=teller)

    stopped = False
    try:
        found = asyncio.run(held())
    except (KeyboardInterrupt, asyncio.CancelledError):
        found, stopped = teller.turns, True
        console.print("[red]Stopped.[/red] These are the calls that were over.", highlight=False)
    except DrillError as error:
        console.print(f"[red]No drill.[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
        raise typer.Exit(2) from None
    result = summary(found)
    if json_out is not None:
        json_out.write_text(json.dumps({"summary": asdict(result), "turns": [asdict(turn) for turn in found]}))
    if as_markdown:
        typer.echo(markdown(result))
    else:
        Console(width=max(140, Console().width)).print(table(result))
    raise typer.Exit(STOPPED if stopped else 0 if result.met else 1)


class _Teller:
    def __init__(self, console: Console, calls: "Sequence[Scenario]") -> None:
        self._console = console
        self._all = len(calls)
        self._done = 0
        self.turns: list[DrillTurn] = []

    def __call__(self, scenario: "Scenario", turns: "Sequence[DrillTurn]") -> None:
        from evals.drill.measure import Verdict

        self._done += 1
        self.turns += turns
        heard = ", ".join(
            f"{turn.kind.value} {turn.verdict.value}"
            + ("" if turn.silence_ms is None else f" {max(turn.silence_ms, turn.gap_ms) / 1000:.1f} s")
            for turn in turns
        )
        line = f"{self._done}/{self._all} {scenario.stage} {scenario.fault}: {heard}"
        self._console.print(line, highlight=False, soft_wrap=True)
        for turn in turns:
            if turn.verdict is not Verdict.ONCE:
                said = f"  {turn.question} was answered: {turn.said or 'nothing'}"
                self._console.print(escape(said), highlight=False, soft_wrap=True)


def _teller(console: Console, calls: "Sequence[Scenario]") -> _Teller:
    return _Teller(console, calls)
