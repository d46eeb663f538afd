"""A comparison, for a terminal."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from evals.report.compare import Change, Comparison, Moved
from evals.report.summary import MEASURES, Leg


def table(found: Comparison) -> RenderableType:
    """What changed, each leg apart, and what it comes to."""
    return Group(*_parts(found))


def _parts(found: Comparison) -> Iterator[RenderableType]:
    for complaint in found.complaints:
        yield Text(complaint, style="yellow")
    for sentence in found.apart:
        yield Text(f"Not compared: {sentence}", style="yellow")
    yield _passes(found)
    if not found.could_tell:
        yield Text("So few repeats tell no change of one scenario from chance; --repeat 4 is the least that can.")
    if found.moved:
        yield _latencies(found.moved)
    for heading, lines in (("Only before", found.gone), ("Only after", found.new)):
        if lines:
            yield Text("\n".join([f"{heading}:", *(f"  {line}" for line in lines)]))
    yield Text(*_verdict(found))


def _passes(found: Comparison) -> Table:
    rows = Table(
        "tier", "scenario", "passed before", "passed after", "p", "", title="Runs that passed", title_justify="left"
    )
    for change in (*found.together, *found.changed):
        passes = change.passes
        rows.add_row(
            _name(change.leg),
            Text("all that both have" if change.key is None else f"{change.key.scenario} ({change.key.file})"),
            f"{passes.passed_before} of {passes.runs_before}",
            f"{passes.passed_after} of {passes.runs_after}",
            _p(change.p),
            _change_verdict(change),
        )
    return rows


def _latencies(moved: Sequence[Moved]) -> Table:
    columns = ("tier", "measure", "turns", "p50 before", "p50 after", "p95 before", "p95 after", "shift, 95 % interval")
    rows = Table(*columns, "p", "", title="Latencies, ms", title_justify="left")
    for each in moved:
        rows.add_row(
            _name(each.leg),
            MEASURES[each.measure],
            str(each.turns),
            *(_ms(value) for value in (each.before.p50, each.after.p50, each.before.p95, each.after.p95)),
            f"{each.shift.median:+.0f} ({each.shift.low:+.0f} to {each.shift.high:+.0f})",
            _p(each.shift.p),
            _moved_verdict(each),
        )
    return rows


def _change_verdict(change: Change) -> Text:
    passes = change.passes
    if passes.passed_before * passes.runs_after == passes.passed_after * passes.runs_before:
        return Text("as before")
    word = "worse" if change.worse else "better"
    if not change.beyond_chance:
        return Text(f"{word}, within chance")
    return Text(f"{word.upper()}", style="red" if change.worse else "green")


def _moved_verdict(moved: Moved) -> Text:
    if not moved.beyond_noise:
        return Text("within noise")
    return Text("SLOWER", style="red") if moved.worse else Text("FASTER", style="green")


def _verdict(found: Comparison) -> tuple[str, str]:
    if found.got_worse:
        return "Something got worse beyond chance and noise.", "bold red"
    return f"Nothing got worse beyond chance and noise, in {found.scenarios} scenarios that both have.", "bold"


def _name(leg: Leg) -> str:
    return f"{leg.tier}, {leg.providers}"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"
