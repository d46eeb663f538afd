"""What a suite leaves behind."""

import json
import resource
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from evals.bench.machine import machine
from evals.scenarios.errors import SuiteError
from evals.scenarios.observed import Cited, ObservedTurn, Passage
from evals.scenarios.results import JUNIT, RESULTS, Results, header, junit, named, shown


def record(name: str = "tried/one", status: str = "passed", **more: Any) -> dict[str, Any]:
    failure = {"turn": 1, "check": "x_says", "reason": "'a' <b> \x00", "file": "tried.yaml", "line": 7}
    return {
        "scenario_name": name, "duration_ms": 1500, "skipped": "no feature yet" if status == "pending" else None,
        "x_tier": "text", "x_run": 1, "x_status": status, "x_providers": "embedded", "x_file": "tried.yaml",
        "x_failures": [] if status in ("passed", "pending") else [failure], **more,
    }  # fmt: skip


def test_each_run_is_a_line_behind_the_header_as_soon_as_it_is_added(tmp_path: Path):
    results = Results(tmp_path / "out")
    results.begin({"version": 1})
    results.add(record())
    first, second = (tmp_path / "out" / RESULTS).read_text().splitlines()
    assert (json.loads(first), json.loads(second)) == ({"x_header": {"version": 1}}, record())


def test_results_are_not_written_over(tmp_path: Path):
    Results(tmp_path).begin({})
    with pytest.raises(SuiteError, match="holds results already"):
        Results(tmp_path).begin({})


def test_a_folder_that_cant_be_made_is_told(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(SuiteError, match="can't be written"):
        Results(tmp_path / "file" / "out").begin({})


def test_a_disk_that_takes_no_more_is_told_and_the_suite_goes_on(tmp_path: Path):
    results = Results(tmp_path)
    results.begin({})
    (tmp_path / RESULTS).unlink()
    (tmp_path / RESULTS).symlink_to("/dev/full")
    results.add(record())
    assert "No space left on device" in str(results.trouble)
    assert results.records == [record()]


@contextmanager
def room_for(file: Path, more_bytes: int) -> Iterator[None]:
    """No file of this process may grow beyond that one and so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + more_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_line_that_fits_only_in_part_is_left_out_as_a_whole(tmp_path: Path):
    results = Results(tmp_path)
    results.begin({})
    results.add(record())
    with room_for(tmp_path / RESULTS, 20):
        results.add(record("tried/two"))
    assert "can't be written" in str(results.trouble)
    results.add(record("tried/three"))
    lines = [json.loads(line) for line in (tmp_path / RESULTS).read_text().splitlines()]
    assert [each["scenario_name"] for each in lines[1:]] == ["tried/one", "tried/three"]


def test_half_a_junit_is_not_left_behind(tmp_path: Path):
    results = Results(tmp_path)
    results.begin({})
    results.add(record())
    with room_for(tmp_path / RESULTS, -1):
        results.end()
    assert ("can't be written" in str(results.trouble), (tmp_path / JUNIT).exists()) == (True, False)


def test_words_that_no_file_can_hold_cost_no_line(tmp_path: Path):
    results = Results(tmp_path)
    results.begin({})
    results.add(record("tried/\udc80"))
    assert json.loads((tmp_path / RESULTS).read_text().splitlines()[1])["scenario_name"] == "tried/?"


def test_junit_counts_each_outcome_in_its_tier(tmp_path: Path):
    records = [record(status=each) for each in ("passed", "failed", "pending", "invalid", "error")]
    root = ET.fromstring(junit([*records, record(x_tier="audio")]))
    text, audio = root.findall("testsuite")
    assert [text.get(each) for each in ("tests", "failures", "skipped", "errors")] == ["5", "1", "1", "2"]
    assert (audio.get("name"), audio.get("tests")) == ("jarvis.audio", "1")
    (failure,) = text.iter("failure")
    assert failure.text == "tried.yaml:7: x_says: 'a' <b> �"


def test_a_run_that_was_held_again_is_no_error_of_the_suites():
    (suite,) = ET.fromstring(junit([record(status="invalid", x_replaced=True), record()])).findall("testsuite")
    assert [suite.get(each) for each in ("skipped", "errors")] == ["1", "0"]
    (skipped,) = suite.iter("skipped")
    assert str(skipped.get("message")).startswith("held again")


def test_junit_is_written_at_the_end_beside_the_lines(tmp_path: Path):
    results = Results(tmp_path)
    results.begin({})
    results.add(record())
    results.end()
    assert b"testcase" in (tmp_path / JUNIT).read_bytes()


def test_the_header_says_what_was_run_and_on_what():
    made = header(providers=["embedded", "doubles"], repeat=3, tiers=["text"])
    assert (made["providers"], made["repeat"], made["tiers"]) == ("doubles-embedded", 3, ["text"])
    assert made["machine"]["cpu"] == machine().cpu


def test_files_below_here_are_named_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert named(tmp_path / "suite" / "facts.yaml") == "suite/facts.yaml"
    assert named(Path("/elsewhere/facts.yaml")) == "/elsewhere/facts.yaml"


def test_a_turn_is_shown_with_the_titles_of_what_it_got_and_cites():
    turn = ObservedTurn(
        user="a", said="b", passages=(Passage("T", "t.md", "x"),) * 2, cited=(Cited("T", "q", "x"),), v2v_ms=9.0
    )
    assert shown(turn) == {
        "user": "a", "heard": "", "said": "b", "sources": ["T"], "passages": ["T"], "v2v_ms": 9.0, "yield_ms": None,
        "longest_gap_ms": None,
    }  # fmt: skip
