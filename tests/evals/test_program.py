"""The program under test, as it is ended."""

import subprocess
import sys

import psutil

from evals.program import _command


def test_a_process_that_ended_and_was_not_waited_for_is_not_left():
    process = subprocess.Popen([sys.executable, "-S", "-c", ""], stdout=subprocess.PIPE)
    seen = psutil.Process(process.pid)
    assert process.stdout is not None
    process.stdout.read()
    while seen.status() != psutil.STATUS_ZOMBIE:
        pass
    assert _command(seen) == ""
    process.wait()


def test_a_process_that_runs_is_left():
    assert "python" in _command(psutil.Process())
