"""`jarvis`: run the server, index documents, search them, call, measure."""

import sys

import typer

from server.commands import call, eval, index, run, search

app = typer.Typer(
    name="jarvis",
    help="A self-hosted voice assistant that answers calls from your own documents, aloud, with its source.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run.run)
app.command("index")(index.index)
app.command("search")(search.search)
app.command("call")(call.call)
app.command("eval")(eval.evaluate)


def main() -> None:
    """The program."""
    sys.exit(app())
