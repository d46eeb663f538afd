"""What the kernel lets a bot take, tried on real processes."""

import signal
import subprocess
import sys

import pytest

from bot.confinement import CPU_BURST_SECS, CPU_SHARE, CpuBudget

pytestmark = pytest.mark.integration

BEGIN = """
import time
from bot import confinement
from bot.confinement import Confinement
{knobs}
confined = Confinement(memory_mb={memory_mb})
confined.start()
confined.renew(now=time.monotonic(), cpu_secs=time.process_time())
"""


def ran(code: str, *, knobs: str = "", memory_mb: int = 512) -> subprocess.CompletedProcess[str]:
    """A confined process that does so."""
    program = BEGIN.format(knobs=knobs, memory_mb=memory_mb) + code
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=180)


def test_a_process_that_keeps_within_its_limits_ends_as_it_likes():
    assert ran("block = bytearray(50 * 2**20); raise SystemExit(7)", memory_mb=100).returncode == 7


def test_a_process_cannot_take_more_memory_than_it_may():
    done = ran("block = bytearray(200 * 2**20)", memory_mb=100)
    assert (done.returncode, "MemoryError" in done.stderr) == (1, True)


def test_a_process_that_spins_between_two_heartbeats_is_ended_by_the_kernel():
    done = ran("while True: pass", knobs="confinement.CPU_STALL_SECS = 0.1")
    assert done.returncode == -signal.SIGXCPU


def test_a_process_that_waits_for_ever_ends_itself_and_says_where():
    done = ran("time.sleep(600)", knobs="confinement.STALLED_SECS = 0.2")
    assert (done.returncode, "Timeout" in done.stderr) == (1, True)


def test_a_process_that_says_that_it_lives_goes_on():
    knobs = "confinement.STALLED_SECS = 0.5"
    lives = "confined.renew(now=time.monotonic(), cpu_secs=time.process_time()); time.sleep(0.1)"
    assert ran(f"for _ in range(15): {lives}\nconfined.stop(); raise SystemExit(7)", knobs=knobs).returncode == 7


def test_a_process_that_is_let_go_may_spin_again():
    spins = "confined.stop()\nwhile time.process_time() < 4: pass\nraise SystemExit(7)"
    assert ran(spins, knobs="confinement.CPU_STALL_SECS = 0.1").returncode == 7


def test_memory_that_was_let_go_is_given_back_to_the_host():
    fills = "blocks = [b'x' * 100_000 for _ in range(400)]; full = confinement.private_mb(); blocks = blocks[-1:]"
    gives = "confinement.give_back()\nraise SystemExit(0 if full - confinement.private_mb() > 30 else 9)"
    assert ran(f"{fills}\n{gives}").returncode == 0


def test_a_call_that_takes_less_than_its_share_may_always_burst():
    assert CpuBudget().after(wall_secs=100, cpu_secs=100 * CPU_SHARE / 2) == CpuBudget(CPU_BURST_SECS)


def test_a_thread_that_spins_uses_the_burst_up():
    budget = CpuBudget()
    for _ in range(200):
        budget = budget.after(wall_secs=1, cpu_secs=1)
    assert budget.credit_secs < 0


def test_the_private_memory_of_a_process_is_what_it_holds_alone():
    grows = "b = confinement.private_mb(); block = bytearray(30 * 2**20); block[::4096] = bytes(len(block[::4096]))"
    assert ran(f"{grows}\nraise SystemExit(0 if 25 < confinement.private_mb() - b < 35 else 9)").returncode == 0
