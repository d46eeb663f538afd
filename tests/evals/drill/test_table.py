"""How a drill is shown."""

from rich.console import Console

from evals.drill.measure import DrillTurn, Verdict, summary
from evals.drill.scenarios import Kind
from evals.drill.table import markdown, table

TURNS = [
    DrillTurn("llm", "stall", Kind.GOOD, Verdict.ONCE, silence_ms=900.0, gap_ms=0.0, by_first=True),
    DrillTurn("llm", "stall", Kind.FAULTY, Verdict.ONCE, silence_ms=2_900.0, gap_ms=0.0, by_first=False),
]


def test_the_document_gets_rows_and_goals():
    shown = markdown(summary(TURNS)).splitlines()
    assert shown[2] == "| llm | stall | 2 | 1 | 0 | 2.00 s | 2.00 s |  |  |"
    assert shown[4] == "2 turns; the vendors are simulated. A turn without a fault begins after 0.9 s."
    assert shown[-1] == "- p95 of extra silence, llm: ≤ 1.2 s: 2.0 s (missed)"


def test_the_terminal_gets_the_same():
    console = Console(width=200)
    with console.capture() as captured:
        console.print(table(summary(TURNS)))
    shown = captured.get()
    assert "2.00 s" in shown
    assert "MISSED  p95 of extra silence, llm: ≤ 1.2 s: 2.0 s" in shown
