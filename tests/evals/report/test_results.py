"""How results are read, whole or not."""

from pathlib import Path
from typing import Any

import pytest

from evals.report.errors import ReportError
from evals.report.results import read_results
from tests.evals.report.sample import FAILURE, HEADER, run, timeline, turn, write


def test_a_run_is_read_with_what_was_said_measured_and_found_wrong(tmp_path: Path):
    path = write(tmp_path / "results.jsonl", run(status="failed", failures=[FAILURE], timeline=timeline()))
    results = read_results(path)
    (read,) = results.runs
    assert results.header is not None
    assert (results.header.machine.cores, results.header.git) == (2, "0e0eaf5")
    assert (read.tier, read.status, read.turns[0].v2v_ms, read.failures[0].line) == ("audio", "failed", 812.5, 23)
    assert len(read.timeline) == len(timeline())
    assert results.complaints == ()


def test_a_folder_stands_for_the_results_in_it(tmp_path: Path):
    path = write(tmp_path / "results.jsonl", run())
    assert read_results(tmp_path).path == path


def test_a_line_that_was_cut_off_is_told_and_the_rest_used(tmp_path: Path):
    path = write(tmp_path / "results.jsonl", run(), rest=b'{"scenario_name": "returns/sin')
    results = read_results(path)
    assert len(results.runs) == 1
    assert results.complaints == (f"{path}:3 was cut off; the lines before it are used.",)


def test_a_last_line_that_is_whole_but_for_its_end_counts(tmp_path: Path):
    path = write(tmp_path / "results.jsonl", run(), run(run=2))
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    assert len(read_results(path).runs) == 2


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"no json", "it is no JSON"),
        (b"\xff\xfe", "it is no JSON"),
        (b'{"scenario_name": "a"}', "check x_tier, x_status, x_providers"),
        (b"[]", "it is no run of a scenario"),
    ],
)
def test_a_line_that_is_no_run_is_told_by_file_and_line(tmp_path: Path, line: bytes, told: str):
    path = write(tmp_path / "results.jsonl", run(), rest=line + b"\n")
    (complaint,) = read_results(path).complaints
    assert complaint.startswith(f"{path}:3 is left out")
    assert told in complaint


@pytest.mark.parametrize(
    "wrong",
    [
        {"tier": "<b>"},
        {"status": "splendid"},
        {"turns": [turn(v2v_ms="soon")]},
        {"turns": [turn(v2v_ms=float("nan"))]},
        {"timeline": [{"lane": "bot", "from_ms": 0, "to_ms": 1e300, "label": ""}]},
    ],
)
def test_a_run_with_values_that_make_no_sense_is_left_out(tmp_path: Path, wrong: dict[str, Any]):
    path = write(tmp_path / "results.jsonl", run(), run(**wrong))
    results = read_results(path)
    assert len(results.runs) == 1
    assert len(results.complaints) == 1


def test_what_was_said_stands_in_no_complaint(tmp_path: Path):
    path = write(tmp_path / "results.jsonl", run(), run(turns=[turn(said=["my card is 4111"])]))
    assert "4111" not in " ".join(read_results(path).complaints)


def test_results_without_a_header_are_used_and_it_is_told(tmp_path: Path):
    results = read_results(write(tmp_path / "results.jsonl", run(), header=None))
    assert len(results.runs) == 1
    assert "no header" in results.complaints[0]


def test_headers_that_differ_are_told(tmp_path: Path):
    path = write(tmp_path / "results.jsonl", run())
    other = write(tmp_path / "other.jsonl", run(run=2), header=HEADER | {"git": "53d025d"})
    path.write_bytes(path.read_bytes() + other.read_bytes())
    results = read_results(path)
    assert len(results.runs) == 2
    assert "several headers" in results.complaints[0]


@pytest.mark.parametrize("lines", [None, b"", b"{}\n"])
def test_no_file_and_no_run_say_so(tmp_path: Path, lines: bytes | None):
    path = tmp_path / "results.jsonl"
    if lines is not None:
        path.write_bytes(lines)
    with pytest.raises(ReportError, match=r"results\.jsonl"):
        read_results(path)
