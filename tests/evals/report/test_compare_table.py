"""A comparison as a terminal shows it."""

from pathlib import Path

from rich.console import Console

from evals.report.compare import compare
from evals.report.compare_table import table
from evals.report.results import read_results
from tests.evals.report.sample import run, turn, write


def shown(tmp_path: Path, before: list[dict[str, object]], after: list[dict[str, object]]) -> str:
    old, new = (
        read_results(write(tmp_path / name / "results.jsonl", *runs)) for name, runs in (("a", before), ("b", after))
    )
    console = Console(width=160, record=True, file=(tmp_path / "out").open("w"))
    console.print(table(compare(old, new)))
    return console.export_text()


def runs(status: str, v2v_ms: float) -> list[dict[str, object]]:
    return [run("[b]answers[/b]", run=n, status=status, turns=[turn(v2v_ms=v2v_ms + n)] * 9) for n in range(5)]


def test_what_got_worse_stands_out(tmp_path: Path):
    text = shown(tmp_path, runs("passed", 800), runs("failed", 990))
    assert "[b]answers[/b] (returns.yaml)" in text
    assert "5 of 5" in text
    assert "0 of 5" in text
    assert "WORSE" in text
    assert "+190 (+190 to +190)" in text
    assert "SLOWER" in text
    assert "Something got worse" in text


def test_where_nothing_changed_it_says_so(tmp_path: Path):
    text = shown(tmp_path, runs("passed", 800), runs("passed", 800))
    assert "as before" in text
    assert "within noise" in text
    assert "Nothing got worse" in text
    assert "--repeat" not in text


def test_of_too_few_repeats_it_says_how_many_are_needed(tmp_path: Path):
    assert "--repeat 4" in shown(tmp_path, runs("passed", 800)[:1], runs("failed", 800)[:1])


def test_what_one_side_does_not_have_is_listed(tmp_path: Path):
    text = shown(tmp_path, [run("old"), run("kept"), run("kept", tier="text")], [run("kept"), run("added")])
    assert "Only before:\n  old (returns.yaml, audio): 1 of 1 passed" in text
    assert "Only after:\n  added (returns.yaml, audio): 1 of 1 passed" in text
    assert "Not compared: text (providers: doubles)" in text
