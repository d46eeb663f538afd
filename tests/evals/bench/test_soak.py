"""What is watched while calls go on."""

from typing import Any

import psutil
import pytest

from evals.bench.soak import DESCRIPTORS, MEMORY, THREADS, Series, conclusion
from evals.bench.trend import Slope, Verdict


class FakeProcess:
    """Has so much of everything."""

    def __init__(self, mb: int, *, gone: bool = False) -> None:
        self._mb = mb
        self._gone = gone

    def memory_full_info(self) -> Any:
        """Its private memory."""
        if self._gone:
            raise psutil.NoSuchProcess(1)
        return type("Memory", (), {"uss": self._mb * 2**20})

    def num_fds(self) -> int:
        """Its descriptors."""
        return 10

    def num_threads(self) -> int:
        """Its threads."""
        return 2


def series(*looks: list[FakeProcess]) -> Series:
    made = Series("server")
    for number, processes in enumerate(looks):
        made.take(5.0 * number, processes)  # type: ignore[arg-type]
    return made


def test_a_look_is_the_sum_of_its_processes():
    made = series([FakeProcess(100), FakeProcess(20)])
    assert made.values == {MEMORY: [120.0], DESCRIPTORS: [20.0], THREADS: [4.0]}


def test_a_process_that_is_gone_makes_it_no_look():
    made = series([FakeProcess(100), FakeProcess(20, gone=True)], [FakeProcess(100)])
    assert (made.at_secs, made.values[MEMORY]) == ([5.0], [100.0])


def test_what_was_loaded_at_first_is_no_growth():
    made = series(*([FakeProcess(50)] for _ in range(10)), *([FakeProcess(100)] for _ in range(40)))
    grown = made.slopes()[MEMORY]
    assert grown is not None
    assert grown.verdict(allowed=MEMORY.allowed) is Verdict.FLAT


def test_a_leak_is_growth():
    made = series(*([FakeProcess(100 + number)] for number in range(60)))
    grown = made.slopes()[MEMORY]
    assert grown is not None
    assert grown.verdict(allowed=MEMORY.allowed) is Verdict.GROWS


@pytest.mark.parametrize(
    ("grown", "verdict", "said"),
    [
        (None, Verdict.UNKNOWN, "server, private memory: too short to tell"),
        (
            Slope(1.0, -2.0, 4.0),
            Verdict.FLAT,
            "server, private memory: flat, +1.0 MB an hour (95 %: -2.0 to +4.0; allowed +10.0)",
        ),
        (
            Slope(30.0, 20.0, 40.0),
            Verdict.GROWS,
            "server, private memory: grows, +30.0 MB an hour (95 %: +20.0 to +40.0; allowed +10.0)",
        ),
    ],
)
def test_a_slope_is_told_with_its_interval(grown: Slope | None, verdict: Verdict, said: str):
    note, found = conclusion("server", MEMORY, grown)
    assert (note.text, found) == (said, verdict)
