"""What a machine says of itself."""

from pathlib import Path

import pytest

from evals.bench import machine as module
from evals.bench.machine import Usage, machine


@pytest.mark.parametrize(("busy", "is_quiet"), [(3.0, True), (60.0, False)])
def test_a_busy_machine_is_not_quiet_and_says_so(busy: float, is_quiet: bool):
    here = machine(busy_percent=lambda: busy)
    assert here.is_quiet is is_quiet
    assert ("BUSY: 60 %" in str(here)) is not is_quiet


def test_a_machine_that_was_not_looked_at_is_taken_for_quiet():
    assert machine().is_quiet


def test_it_is_described_by_what_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "cpuinfo").write_text("processor : 0\nmodel name\t: Fast 9000\n")
    (tmp_path / "governor").write_text("performance\n")
    monkeypatch.setattr(module, "CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(module, "GOVERNOR", tmp_path / "governor")
    here = machine()
    assert str(here).startswith("Fast 9000, ")
    assert "governor performance" in str(here)


def test_what_the_kernel_does_not_tell_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(module, "CPU_INFO", tmp_path / "none")
    monkeypatch.setattr(module, "GOVERNOR", tmp_path / "none")
    here = machine()
    assert here.cpu
    assert (here.governor, here.to_json()["governor"]) == (None, None)
    assert "governor" not in str(here)


@pytest.mark.parametrize(("looks", "busy"), [([4.0], 4.0), ([90.0, 9.0], 9.0), ([90.0, 40.0, 60.0], 40.0)])
def test_what_is_busy_for_a_moment_only_is_quiet(monkeypatch: pytest.MonkeyPatch, looks: list[float], busy: float):
    left = iter(looks)
    monkeypatch.setattr(module.psutil, "cpu_percent", lambda interval: next(left))
    assert module.busy_percent() == busy
    assert next(left, None) is None


def test_what_others_took_is_what_was_used_without_ones_own():
    before, after = Usage(100.0, 1_000.0, 10.0), Usage(110.0, 1_013.0, 15.0)
    assert after.others_percent(before, cores=2) == 40.0


def test_children_that_used_more_than_was_counted_leave_nothing_to_others():
    before, after = Usage(100.0, 1_000.0, 10.0), Usage(110.0, 1_001.0, 15.0)
    assert after.others_percent(before, cores=2) == 0.0


def test_this_process_is_part_of_what_is_used():
    now = Usage.now()
    assert 0 < now.own_secs < now.all_secs
