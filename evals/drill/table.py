"""A drill's summary, for a terminal and for a document."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from evals.drill.measure import Row, Summary

HEADINGS = (
    "Stage",
    "Fault",
    "Turns",
    "It failed in",
    "Not once, whole and right",
    "Extra silence, median",
    "Extra silence, p95",
    "Noticed after",
    "Back within a turn",
)


def table(found: Summary) -> RenderableType:
    """Rows and goals."""
    rows = Table(*HEADINGS)
    for row in found.rows:
        rows.add_row(*_cells(row), style="" if row.not_once == 0 else "red")
    goals = Text("\n").join(
        Text(f"{'met   ' if goal.met else 'MISSED'}  {goal.name}: {goal.found}", style="green" if goal.met else "red")
        for goal in found.goals
    )
    return Group(rows, Text(_about(found)), goals)


def markdown(found: Summary) -> str:
    """The same as `docs/failover.md` has it."""
    lines = [_line(HEADINGS), _line(["---"] * len(HEADINGS)), *(_line(_cells(row)) for row in found.rows)]
    goals = [f"- {goal.name}: {goal.found} ({'met' if goal.met else 'missed'})" for goal in found.goals]
    return "\n".join([*lines, "", _about(found), "", *goals])


def _about(found: Summary) -> str:
    good = (
        "" if found.good_silence_secs is None else f" A turn without a fault begins after {found.good_silence_secs} s."
    )
    return f"{found.turns} turns; the vendors are simulated.{good}"


def _line(cells: "tuple[str, ...] | list[str]") -> str:
    return f"| {' | '.join(cells)} |"


def _cells(row: Row) -> list[str]:
    return [
        row.stage,
        row.fault,
        str(row.turns),
        str(row.failed),
        str(row.not_once),
        _secs(row.extra_median_secs),
        _secs(row.extra_p95_secs),
        _secs(row.noticed_secs),
        f"{row.back} of {row.due_back}" if row.due_back else "",
    ]


def _secs(secs: float | None) -> str:
    return "" if secs is None else f"{secs:.2f} s"
