"""The call on a terminal: what goes on while it lasts, and what it came to."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from evals.caller.conversation import CallEvent, OnEvent
from evals.caller.report import CallReport, TurnReport
from evals.caller.transcript import Citation


@contextmanager
def progress(console: Console) -> Iterator[OnEvent]:
    """A line that says what the call is doing; gone when the call is over."""
    with console.status("", refresh_per_second=4) as status:

        def show(event: CallEvent) -> None:
            line = Text(f"{event.stage.capitalize()} …")
            if event.detail:
                line.append(f"  {event.detail}", style="dim")
            status.update(line)

        yield show


def render(report: CallReport) -> RenderableType:
    """The report as a table; plain text where the terminal has no colours."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    if report.greeting:
        _row(table, "Greeting", _words(report.greeting.said))
        _row(table, "", Text(f"{report.greeting.after_ms:.0f} ms after media connected", style="dim"))
    for number, turn in enumerate(report.turns, 1):
        table.add_row()
        _add_turn(table, number, turn)
    for notice in report.notices:
        table.add_row()
        _row(table, "Notice", Text(notice))
    for error in report.errors:
        table.add_row()
        _row(table, "Error", Text(error, style="red"))
    if report.ending:
        table.add_row()
        _row(table, "Ended", Text(" ".join(part for part in (report.ending.text, f"({report.ending.reason})") if part)))
    return Group(table, Text(), _summary(report))


def _add_turn(table: Table, number: int, turn: TurnReport) -> None:
    _row(table, f"{number}  Asked", Text(turn.asked))
    _row(table, "   Heard", _words(turn.heard))
    if not turn.answered:
        _row(table, "   Said", Text("no answer", style="bold red"))
        return
    _row(table, "   Said", _words(turn.said))
    for citation in turn.citations:
        _row(table, "   Source", _source(citation))
    _row(table, "   Timing", Text(_timing(turn), style="dim"))


def _row(table: Table, name: str, value: RenderableType) -> None:
    table.add_row(Text(name), value)


def _words(words: str) -> Text:
    return Text(words) if words else Text("nothing was reported", style="dim")


def _source(citation: Citation) -> Text:
    place = " > ".join((citation.title, *citation.heading_path))
    return Text.assemble(
        (f"[{citation.number}] ", "cyan"),
        place,
        (f"  {citation.source}", "dim"),
        "\n    ",
        (f"“{citation.quote}”", "italic"),
    )


def _timing(turn: TurnReport) -> str:
    parts = [f"answered {turn.v2v_ms:.0f} ms after the question"]
    if turn.yield_ms is not None:
        parts.append(f"fell silent {turn.yield_ms:.0f} ms after being spoken over")
    return ", ".join(parts)


def _summary(report: CallReport) -> Text:
    answered = sum(turn.answered for turn in report.turns)
    summary = Text(
        f"{answered} of {len(report.turns)} answered", style="bold green" if report.exit_code == 0 else "bold red"
    )
    if report.median_v2v_ms is not None:
        summary.append(f", median voice to voice {report.median_v2v_ms:.0f} ms", style="bold")
    summary.append(f"  session {report.session_id}", style="dim")
    if report.wav:
        summary.append(f"\nRecorded in {report.wav}: caller left, bot right", style="dim")
    return summary
