"""How a bench is told."""

import json
from datetime import UTC, datetime

import pytest
from rich.console import Console

from evals.bench.figures import Figure, Finding, Note
from evals.bench.machine import Machine
from evals.bench.report import Report, latest, line

MACHINE = Machine(
    cpu="Fast", cores=2, memory_gb=4.0, kernel="6.1", python="3.11.2", governor=None, load=0.1, busy_percent=2.0
)


def report(*findings: Finding, is_whole: bool = True, others_percent: float = 2.0) -> Report:
    return Report(
        bench="turns",
        version="0.1.0",
        created=datetime(2026, 1, 2, tzinfo=UTC),
        providers="doubles",
        machine=MACHINE,
        options={"runs": 2},
        findings=findings,
        others_percent=others_percent,
        is_whole=is_whole,
    )


def shown(told: Report) -> str:
    console = Console(width=160)
    with console.capture() as captured:
        console.print(told.table())
    return captured.get()


V2V = Figure("voice to voice", "ms", (700.0, 720.0, 1500.0), "Jarvis")


def test_the_table_says_who_was_measured_on_what():
    text = shown(report(V2V, Note("All was well.")))
    assert "jarvis bench turns; providers: doubles (the vendors are simulated)" in text
    assert "Fast, 2 cores, 4 GB, Linux 6.1" in text
    assert "All was well." in text


def test_a_figure_is_a_row_with_its_spread():
    (row,) = [each for each in shown(report(V2V)).splitlines() if "voice to voice" in each]
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    assert cells == ["voice to voice", "Jarvis", "720", "710–1,110", "700", "1,500", "", "ms", "3"]


def test_where_all_is_of_one_there_is_no_column_for_it():
    assert " of " not in shown(report(Figure("server start", "s", (5.0,)))).splitlines()[3]


def test_a_bench_without_a_figure_has_no_table():
    assert "figure" not in shown(report(Note("Nothing was measured.")))


def test_a_bench_that_was_cut_off_says_so():
    assert "cut off" in shown(report(V2V, is_whole=False))
    assert "cut off" not in shown(report(V2V))


@pytest.mark.parametrize(("others_percent", "is_busy"), [(5.0, False), (40.0, True)])
def test_a_machine_that_became_busy_meanwhile_is_called_so(others_percent: float, is_busy: bool):
    assert ("BUSY: other programs took" in shown(report(V2V, others_percent=others_percent))) is is_busy


def test_json_has_every_value_of_every_run():
    told = json.loads(json.dumps(report(V2V, Note("n")).to_json()))
    assert told["figures"][0]["values"] == [700.0, 720.0, 1500.0]
    assert (told["providers"], told["machine"]["cores"], told["notes"], told["is_whole"]) == ("doubles", 2, ["n"], True)


def test_a_figure_that_grew_counts_once_and_where_it_was_first():
    more = Figure(V2V.name, V2V.unit, (*V2V.values, 710.0), V2V.of)
    other = Figure(V2V.name, V2V.unit, (900.0,), "stock Pipecat")
    assert latest([V2V, other, more, Note("n"), Note("n")]) == [more, other, Note("n")]


def test_a_finding_is_a_line():
    assert line(V2V) == "voice to voice, Jarvis: 720 ms"
    assert line(Figure("start", "s", (5.25,))) == "start: 5.2 s"
    assert line(Note("n")) == "n"
