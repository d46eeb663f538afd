"""`jarvis eval from-call`."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from server.commands.calls import MOST, open_calls
from server.commands.problems import stop_on_setup_error
from server.commands.running import counted
from server.commands.short_ids import by_prefix
from server.errors import SetupError
from server.logging import configure

if TYPE_CHECKING:
    from evals.scenarios.from_call import Exchange


def from_call(
    call_id: Annotated[str, typer.Argument(metavar="ID", help="The call's id, or the first characters of it.")],
    turn: Annotated[int, typer.Option("--turn", min=1, help="What the caller said that it is about, counted from 1.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="The folder that the scenario is put into.")
    ] = Path(),
    knowledge: Annotated[
        Path | None,
        typer.Option(help="The folder of the documents that were answered from; else the sample handbook."),
    ] = None,
) -> None:
    """Make a scenario of a call that is kept: what the caller said until then, and the sources of the answers.

    Card numbers, phone numbers and e-mail addresses are replaced by examples; names stay. It waits with `x_pending`
    until somebody has looked at it. Calls are kept in writing, so that the caller's words are typed.
    """
    configure("WARNING")
    console = Console(stderr=True)
    with stop_on_setup_error(console):
        if knowledge is not None and not knowledge.is_dir():
            raise SetupError(f"There is no folder {knowledge}.")
        found, asked = asyncio.run(_asked(call_id))
        if turn > len(asked):
            raise SetupError(
                f"The caller of {found} spoke {counted(len(asked), 'time', 'times')}, so there is no turn {turn}."
            )
        file, replaced = _write(found, asked[:turn], out, knowledge)
    if replaced:
        console.print(f"Replaced by examples: {counted(replaced, 'number or address', 'numbers or addresses')}.")
    console.print("It was made of a call: look at it for names, then take `x_pending` out.", highlight=False)
    typer.echo(file)


async def _asked(prefix: str) -> "tuple[str, list[Exchange]]":
    """The call's id, and what was said in it."""
    from evals.scenarios.from_call import Said, exchanges
    from server.records.schemas import WholeCall

    async with open_calls() as store:
        ids = await store.ids_beginning(prefix.lower(), limit=MOST)
        if prefix and not ids:
            raise SetupError(
                f"There is no call {prefix!r}: it never was, it was erased, or it is older than calls are kept. "
                "`jarvis calls` lists those that there are."
            )
        call_id = by_prefix(prefix, ids, noun="call")
        row = await store.get(call_id)
        if row is None:
            raise SetupError("This call was just erased.")
        whole = WholeCall.of(row, await store.turns(call_id))
    if whole.call.ended_at is None:
        raise SetupError(f"{call_id} still runs, so that its last turn may not be whole. `jarvis end` ends a call.")
    said = [Said(each.role, each.text, tuple(source.title for source in each.sources)) for each in whole.turns]
    return call_id, exchanges(said)


def _write(call_id: str, asked: "list[Exchange]", out: Path, knowledge: Path | None) -> tuple[Path, int]:
    """The scenario's file, and how much in it was replaced; none is left that is not as it must be."""
    from evals.scenarios.format import read
    from evals.scenarios.from_call import scenario_of
    from evals.scenarios.keys import HANDBOOK
    from evals.scenarios.lint import documents_in, lint

    folder = HANDBOOK if knowledge is None else knowledge
    if missing := sorted({title for each in asked for title in each.sources} - documents_in(folder).keys()):
        raise SetupError(
            f"{', '.join(missing)} was answered from, and is no document in {folder}. Name their folder: --knowledge"
        )
    file = out / f"call-{call_id[:8]}-turn-{len(asked)}.yaml"
    beside = None if knowledge is None else os.path.relpath(knowledge.resolve(), out.resolve())
    made = scenario_of(call_id, asked, knowledge=beside)
    try:
        out.mkdir(parents=True, exist_ok=True)
        # A caller's words are the operator's to read.
        with open(file, "x", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)) as opened:
            opened.write(made.text)
    except FileExistsError:
        raise SetupError(
            f"{file} is there already, and stays as it is. Move it, or name another folder: --out"
        ) from None
    except OSError as error:
        raise SetupError(f"{file} can't be written ({error.strerror}). Name another folder: --out") from None
    if complaints := lint(read(file)):
        file.unlink()
        raise SetupError(f"No scenario can be made of it. {'; '.join(each.text for each in complaints)}")
    return file, made.replaced
