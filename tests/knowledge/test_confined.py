"""Processes for what foreign input may break."""

import asyncio
import os
import subprocess
import sys

import pytest

from knowledge.confined import kill, start_confined

TELLS = """
import resource
from knowledge.confined import confine
confine(memory_bytes=256 * 2**20, cpu_secs=7)
for which in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
    print(resource.getrlimit(which)[0])
"""


def test_a_confined_process_is_bounded_in_memory_and_cpu_and_writes_no_files():
    told = subprocess.run([sys.executable, "-c", TELLS], capture_output=True, text=True, timeout=30, check=True)
    assert [int(line) for line in told.stdout.split()] == [256 * 2**20, 7, 0, 0]


@pytest.mark.integration
async def test_a_confined_child_knows_nothing_of_this_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SECRET_OF_THIS_PROCESS", "x")
    child = await start_confined("timeit", "-n", "1", "import os, sys; sys.stdout.write(' '.join(os.environ))")
    output, _ = await asyncio.wait_for(child.communicate(), 30)
    assert b"SECRET_OF_THIS_PROCESS" in os.environb
    assert b"SECRET_OF_THIS_PROCESS" not in output


@pytest.mark.integration
async def test_a_child_that_is_killed_is_gone():
    child = await start_confined("timeit", "import time; time.sleep(60)")
    assert await kill(child) == -9
    assert await kill(child) == -9
