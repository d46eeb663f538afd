"""`jarvis`: run the server, look after its set-up, calls and keys, index documents, search them, call, measure."""

import sys

import typer

from server.commands import (
    bench,
    call,
    calls,
    change,
    doctor,
    documents,
    drain,
    drill,
    end,
    eval,
    eval_report,
    gaps,
    index,
    keys,
    messages,
    personas,
    providers,
    ps,
    run,
    search,
    top,
)

app = typer.Typer(
    name="jarvis",
    help="A self-hosted voice assistant that answers calls from your own documents, aloud, with its source.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run.run)
app.command("ps")(ps.ps)
app.command("top")(top.top)
app.command("end")(end.end)
app.command("set")(change.change)
app.command("drain")(drain.drain)
app.command("index")(index.index)
app.command("search")(search.search)
app.add_typer(documents.app, name="documents")
app.add_typer(gaps.app, name="gaps")
app.add_typer(calls.app, name="calls")
app.command("messages")(messages.messages)
app.add_typer(keys.app, name="keys")
app.command("providers")(providers.providers)
app.command("personas")(personas.personas)
app.command("doctor")(doctor.doctor)
app.command("call")(call.call)
app.command("drill")(drill.drill)
eval.app.add_typer(eval_report.app)
app.add_typer(eval.app, name="eval")
app.add_typer(bench.app, name="bench")


def main() -> None:
    """The program."""
    sys.exit(app())
