"""What a bench came to, for a terminal and as JSON."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from evals.bench.figures import Figure, Finding, Note
from evals.bench.machine import QUIET_PERCENT, Machine

Providers = Literal["doubles", "embedded"]
MEANINGS: Mapping[Providers, str] = {
    "doubles": "the vendors are simulated",
    "embedded": "recogniser, answerer and voice of this host; no vendor is in the path",
}


@dataclass(frozen=True)
class Report:
    """One bench; `others_percent` of all cores were other programs' meanwhile. `options` is what it was told."""

    bench: str
    version: str
    created: datetime
    providers: Providers
    machine: Machine
    options: Mapping[str, Any]
    findings: Sequence[Finding]
    others_percent: float
    is_whole: bool = True

    @property
    def figures(self) -> list[Figure]:
        """What was measured."""
        return [each for each in self.findings if isinstance(each, Figure)]

    @property
    def notes(self) -> list[str]:
        """What is to be said about it."""
        return [each.text for each in self.findings if isinstance(each, Note)]

    def to_json(self) -> dict[str, Any]:
        """All of it in JSON's types, each value of each run included."""
        return {
            "bench": self.bench,
            "jarvis": self.version,
            "created": self.created.isoformat(),
            "providers": self.providers,
            "machine": self.machine.to_json(),
            "others_percent": self.others_percent,
            "options": dict(self.options),
            "is_whole": self.is_whole,
            "figures": [_json(figure) for figure in self.figures],
            "notes": self.notes,
        }

    def table(self) -> RenderableType:
        """The figures as one table, on what they were measured, and what is to be said."""
        about = f"jarvis bench {self.bench}; providers: {self.providers} ({MEANINGS[self.providers]})"
        table = Table()
        has_of = any(figure.of for figure in self.figures)
        columns = ["figure", *(["of"] if has_of else []), "median", "middle half", "min", "max", "p95", "unit", "runs"]
        for name in columns:
            table.add_column(name, justify="left" if name in ("figure", "of", "unit") else "right")
        for figure in self.figures:
            low, high = figure.quartiles
            p95 = "" if figure.p95 is None else _number(figure.p95)
            table.add_row(
                figure.name,
                *([figure.of] if has_of else []),
                _number(figure.median),
                f"{_number(low)}–{_number(high)}",
                _number(min(figure.values)),
                _number(max(figure.values)),
                p95,
                figure.unit,
                str(len(figure.values)),
            )
        said = [*self.notes]
        if self.others_percent > QUIET_PERCENT:
            said.append(f"BUSY: other programs took {self.others_percent:.0f} % of the cores meanwhile.")
        if not self.is_whole:
            said.append("It was cut off: not all was measured.")
        shown = [table] if self.figures else []
        return Group(Text(about), Text(str(self.machine)), *shown, *(Text(each) for each in said))


def latest(findings: Iterable[Finding]) -> list[Finding]:
    """Those that count: of a figure that grew with its runs the last, in the place of its first."""
    found: dict[tuple[str, ...], Finding] = {}
    for each in findings:
        found[(each.name, each.of) if isinstance(each, Figure) else (each.text,)] = each
    return [*found.values()]


def line(finding: Finding) -> str:
    """A finding as it is told as soon as it is known."""
    if isinstance(finding, Note):
        return finding.text
    of = f", {finding.of}" if finding.of else ""
    return f"{finding.name}{of}: {_number(finding.median)} {finding.unit}"


def _json(figure: Figure) -> dict[str, Any]:
    low, high = figure.quartiles
    return {
        "name": figure.name,
        "of": figure.of or None,
        "unit": figure.unit,
        "values": list(figure.values),
        "median": figure.median,
        "quartiles": [low, high],
        "min": min(figure.values),
        "max": max(figure.values),
        "p95": figure.p95,
    }


def _number(value: float) -> str:
    """Three figures or so: what a run repeats."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 1 else f"{value:.2f}"
