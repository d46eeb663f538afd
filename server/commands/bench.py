"""`jarvis bench`."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from server.logging import configure

if TYPE_CHECKING:
    from evals.bench.figures import Finding
    from evals.bench.report import Providers

    Measure = Callable[[Callable[[str], None]], AsyncIterator[Finding]]

FAILED, STOPPED = 2, 130


class Who(StrEnum):
    """Who hears, answers and speaks in what is measured."""

    DOUBLES = "doubles"
    EMBEDDED = "embedded"


class Recogniser(StrEnum):
    """A vendor's recogniser: one makes its words final when it is asked to, the other ends turns by itself."""

    NOVA = "deepgram"
    FLUX = "deepgram_flux"


WhoOption = Annotated[
    Who, typer.Option("--providers", help="Doubles in the vendors' places, or the embedded parts of this host.")
]
RecogniserOption = Annotated[
    Recogniser,
    typer.Option(
        "--stt",
        help="The vendor's recogniser among the doubles: deepgram makes words final when it is asked to, deepgram_flux "
        "ends turns by itself. Results with one and with the other are no comparison.",
    ),
]
JsonOption = Annotated[Path | None, typer.Option("--json", help="Write every value of every run there.")]
AnywayOption = Annotated[
    bool, typer.Option("--anyway", help="Measure though other programs use this machine; the results say so.")
]

app = typer.Typer(no_args_is_help=True)


@app.callback()
def bench() -> None:
    """Measure how fast this machine answers, and how much it holds."""
    # Before anything of Pipecat is loaded, which greets in the log.
    configure("ERROR")


@app.command("turns")
def turns(
    runs: Annotated[int, typer.Option(min=1, help="Calls of five turns to each bot, and of three spoken over.")] = 6,
    providers: WhoOption = Who.DOUBLES,
    recogniser: RecogniserOption = Recogniser.NOVA,
    json_out: JsonOption = None,
    anyway: AnywayOption = False,
) -> None:
    """Measure on the audio of real calls how long a caller waits for an answer, and for silence when speaking over one.

    With doubles in the vendors' places, a bot of Pipecat's own parts is called in turns with this one.
    """
    from evals.bench.turns import turns as measure

    _hold(
        "turns",
        lambda progress: measure(providers=providers.value, recogniser=recogniser.value, runs=runs, progress=progress),
        providers=providers.value,
        options={"runs": runs, "stt": recogniser.value if providers is Who.DOUBLES else None},
        json_out=json_out,
        anyway=anyway,
    )


@app.command("capacity")
def capacity(
    runs: Annotated[int, typer.Option(min=1, help="Runs of each number of calls.")] = 3,
    most: Annotated[int, typer.Option("--max-calls", min=1, max=64, help="No more calls at once than that.")] = 16,
    providers: WhoOption = Who.DOUBLES,
    recogniser: RecogniserOption = Recogniser.NOVA,
    json_out: JsonOption = None,
    anyway: AnywayOption = False,
) -> None:
    """Measure how many calls at once this machine holds, and what CPU and memory a call takes.

    More and more callers are connected to one server, until the 95th percentile of voice to voice is 25 % above that of
    one call, or frames come 40 ms late. Callers and doubles use the same cores.
    """
    from evals.bench.capacity import capacity as measure

    _hold(
        "capacity",
        lambda progress: measure(
            providers=providers.value, recogniser=recogniser.value, runs=runs, most=most, progress=progress
        ),
        providers=providers.value,
        options={"runs": runs, "max_calls": most, "stt": recogniser.value if providers is Who.DOUBLES else None},
        json_out=json_out,
        anyway=anyway,
    )


@app.command("start")
def start(
    runs: Annotated[int, typer.Option(min=1, help="Starts of each kind, and calls of each kind.")] = 5,
    json_out: JsonOption = None,
    anyway: AnywayOption = False,
) -> None:
    """Measure how soon a server is there, and how soon a caller hears the first word.

    Once with a bot that waits for the call, once with one that is started for it. Recogniser, answerer and voice are
    the embedded ones.
    """
    from evals.bench.start import start as measure

    _hold(
        "start",
        lambda progress: measure(runs=runs, progress=progress),
        providers="embedded",
        options={"runs": runs},
        json_out=json_out,
        anyway=anyway,
    )


@app.command("retrieval")
def retrieval(
    runs: Annotated[int, typer.Option(min=1, help="Runs of 300 searches in each number of passages.")] = 3,
    size: Annotated[
        list[int] | None,
        typer.Option("--size", min=1, help="So many passages; can be given several times. 100000 take an hour."),
    ] = None,
    kill: Annotated[
        int, typer.Option(min=0, help="Kill the indexer half way through so many documents and count; 0: don't.")
    ] = 0,
    json_out: JsonOption = None,
    anyway: AnywayOption = False,
) -> None:
    """Measure what documents cost by their number: to be indexed, in memory, and to be searched.

    Without --size, 12,000 passages. The passages are made up from the sample's sentences.
    """
    from evals.bench.retrieval import retrieval as measure

    sizes = size or [12_000]
    _hold(
        "retrieval",
        lambda progress: measure(sizes=sizes, killed=kill, runs=runs, progress=progress),
        providers="embedded",
        options={"runs": runs, "sizes": sizes, "kill": kill},
        json_out=json_out,
        anyway=anyway,
    )


@app.command("interruptions")
def interruptions(
    json_out: JsonOption = None,
    anyway: AnywayOption = False,
) -> None:
    """Measure whom a bot stops for while it speaks, on a set of sounds and without a call.

    40 of them are no reason to stop: backchannels, coughs, laughter, others in the room, the bot's own voice. The rest
    are questions and short commands; each third has street noise or babble behind it.
    """
    from evals.bench.interruptions import interruptions as measure

    _hold(
        "interruptions",
        lambda progress: measure(progress=progress),
        providers="embedded",
        options={},
        json_out=json_out,
        anyway=anyway,
    )


@app.command("soak")
def soak(
    calls: Annotated[int, typer.Option(min=1, max=64, help="Calls at once; the first stays on the line.")] = 2,
    minutes: Annotated[float, typer.Option(min=0.5, help="For so long.")] = 10.0,
    providers: WhoOption = Who.DOUBLES,
    recogniser: RecogniserOption = Recogniser.NOVA,
    json_out: JsonOption = None,
    anyway: AnywayOption = False,
) -> None:
    """Hold calls, and measure whether memory, descriptors and threads stay as they are.

    Each gets a slope by the hour with its interval. Exit code 1 when one surely grows. A short soak seldom knows: it
    says so.
    """
    from evals.bench.soak import Soak
    from evals.bench.soak import soak as measure

    outcome = Soak()
    _hold(
        "soak",
        lambda progress: measure(
            providers=providers.value,
            recogniser=recogniser.value,
            calls=calls,
            minutes=minutes,
            outcome=outcome,
            progress=progress,
        ),
        providers=providers.value,
        options={"calls": calls, "minutes": minutes, "stt": recogniser.value if providers is Who.DOUBLES else None},
        json_out=json_out,
        anyway=anyway,
    )
    raise typer.Exit(1 if outcome.grew else 0)


def _hold(
    bench: str,
    measure: "Measure",
    *,
    providers: "Providers",
    options: dict[str, Any],
    json_out: Path | None,
    anyway: bool,
) -> None:
    """Measures, tells each figure as it is known, and shows all of them in the end, also where it was cut off."""
    from evals.bench.errors import BenchError
    from evals.bench.machine import Usage, busy_percent, machine
    from evals.bench.report import Report, latest, line
    from evals.caller.errors import CallError
    from evals.program import ProgramError

    if json_out is not None and not json_out.absolute().parent.is_dir():
        raise typer.BadParameter(f"There is no folder {json_out.parent} to write into.", param_hint="--json")
    console, created = Console(stderr=True), datetime.now(UTC)
    with console.status("Looking whether this machine is quiet"):
        here = machine(busy_percent=busy_percent)
    if not here.is_quiet and not anyway:
        console.print(
            f"[red]No figures.[/red] Other programs keep this machine busy ({here.busy_percent:.0f} % of its cores). "
            "End them and try again, or measure nevertheless: --anyway",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
        raise typer.Exit(FAILED)
    findings: list[Finding] = []
    code, before = 0, Usage.now()
    try:
        with console.status("") as status:

            async def collect() -> None:
                # Or the servers that are measured would outlive this.
                collecting = asyncio.current_task()
                assert collecting is not None
                asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, collecting.cancel)
                async with aclosing(measure(lambda doing: status.update(escape(doing)))) as found:  # pyright: ignore
                    async for finding in found:
                        findings.append(finding)
                        console.print(escape(line(finding)), style="dim", highlight=False, soft_wrap=True)

            asyncio.run(collect())
    except (KeyboardInterrupt, asyncio.CancelledError):
        code = STOPPED
    except (BenchError, CallError, ProgramError) as error:
        console.print(f"[red]Not all was measured.[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
        code = FAILED
    report = Report(
        bench=bench,
        version=version("jarvis"),
        created=created,
        providers=providers,
        machine=here,
        options=options,
        findings=latest(findings),
        others_percent=Usage.now().others_percent(before, cores=here.cores),
        is_whole=code == 0,
    )
    Console(width=max(120, Console().width)).print(report.table())
    if json_out is not None:
        try:
            json_out.write_text(json.dumps(report.to_json(), indent=1), encoding="utf-8")
        except OSError as error:
            console.print(f"[red]{escape(str(json_out))} can't be written[/red] ({error.strerror}).", soft_wrap=True)
            code = code or FAILED
    if code:
        raise typer.Exit(code)
