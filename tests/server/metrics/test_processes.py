"""What processes take, by their kind."""

import subprocess
import sys
from collections.abc import Iterator, Mapping

import psutil
import pytest

from server.metrics.processes import ProcessTable, parents, usage_of

pytestmark = pytest.mark.integration

# Uses some CPU, has a child of its own, says so, and waits.
BUSY = """
import subprocess, sys, time
end = time.process_time() + 0.05
while time.process_time() < end: pass
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
print("up", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def busy() -> Iterator[subprocess.Popen[bytes]]:
    """A process with a child."""
    with subprocess.Popen([sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def values(
    table: ProcessTable, *, told: Mapping[str, float] | None = None, **kinds: list[int]
) -> dict[str, dict[str, float]]:
    return {
        family.name: {sample.labels["process"]: sample.value for sample in family.samples}
        for family in table.families(kinds, told_cpu_secs=told or {})
    }


def test_a_kind_is_its_processes_and_all_below_them(busy: subprocess.Popen[bytes]):
    found = values(ProcessTable(), speech=[busy.pid])
    assert found["jarvis_processes"] == {"speech": 2}
    assert found["jarvis_process_cpu_seconds"]["speech"] >= 0.05
    assert found["jarvis_process_memory_bytes"]["speech"] > 2**20


def test_the_server_counts_without_its_children(busy: subprocess.Popen[bytes]):
    assert values(ProcessTable(), server=[busy.pid])["jarvis_processes"] == {"server": 1}


def test_the_cpu_of_a_process_that_ended_is_still_counted(busy: subprocess.Popen[bytes]):
    table = ProcessTable()
    before = values(table, bot=[busy.pid])["jarvis_process_cpu_seconds"]["bot"]
    busy.kill()
    busy.wait()
    after = values(table, bot=[])
    assert after["jarvis_process_cpu_seconds"] == {"bot": before}
    assert (after["jarvis_processes"], after["jarvis_process_memory_bytes"]) == ({"bot": 0}, {"bot": 0})


def test_the_cpu_of_a_kind_that_is_told_is_what_is_told(busy: subprocess.Popen[bytes]):
    found = values(ProcessTable(), told={"bot": 7.5}, bot=[busy.pid])
    assert (found["jarvis_process_cpu_seconds"], found["jarvis_processes"]) == ({"bot": 7.5}, {"bot": 1})


def test_a_process_that_is_gone_takes_nothing(busy: subprocess.Popen[bytes]):
    busy.kill()
    busy.wait()
    assert usage_of(busy.pid, among={}) is None


def test_the_parent_of_bots_is_known_where_it_is_the_servers_child(busy: subprocess.Popen[bytes]):
    (child,) = psutil.Process(busy.pid).children()
    assert parents([child.pid], below=psutil.Process().pid) == [busy.pid]
    assert parents([child.pid], below=busy.pid) == []
