"""What a bot may take of its host, enforced by the kernel, so that it holds while no server watches.

Memory: what the process writes to, over what it was forked with. CPU: a share of a core that bursts may overdraw. And
a dead man's switch: an event loop that no longer turns, whether it spins, waits or hangs in native code, ends the
process.
"""

import ctypes
import faulthandler
import math
import resource
import sys
from dataclasses import dataclass
from pathlib import Path

CPU_SHARE = 0.8
CPU_BURST_SECS = 30.0
# How much CPU a bot may burn between two heartbeats.
CPU_STALL_SECS = 15.0
STALLED_SECS = 20.0
MB = 2**20


@dataclass(frozen=True, slots=True)
class CpuBudget:
    """Seconds of CPU that may be spent at once, filled up by a share of a core."""

    credit_secs: float = CPU_BURST_SECS

    def after(self, *, wall_secs: float, cpu_secs: float) -> "CpuBudget":
        """The budget after so much time, so much of it spent on the CPU."""
        return CpuBudget(min(CPU_BURST_SECS, self.credit_secs + CPU_SHARE * wall_secs - cpu_secs))


class Confinement:
    """Holds this process within its limits; `renew` must be called again and again."""

    def __init__(self, *, memory_mb: int):
        self._memory_mb = memory_mb
        self._budget = CpuBudget()
        self._last: tuple[float, float] | None = None

    def start(self) -> None:
        """Sets what is set once: no core dump, and memory."""
        _limit(resource.RLIMIT_CORE, 0)
        _limit(resource.RLIMIT_DATA, data_bytes() + self._memory_mb * MB)

    def renew(self, *, now: float, cpu_secs: float) -> None:
        """The bot lives: `now` by the monotonic clock, with so many seconds of CPU spent since its start."""
        if self._last is not None:
            self._budget = self._budget.after(wall_secs=now - self._last[0], cpu_secs=cpu_secs - self._last[1])
        self._last = now, cpu_secs
        allowed = min(max(self._budget.credit_secs, 0.0), CPU_STALL_SECS)
        _limit(resource.RLIMIT_CPU, math.ceil(cpu_secs + allowed))
        faulthandler.dump_traceback_later(STALLED_SECS, exit=True, file=sys.__stderr__ or sys.stderr)

    def stop(self) -> None:
        """Disarms the switch and lifts the limit on CPU, which nobody would renew any more."""
        faulthandler.cancel_dump_traceback_later()
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (hard, hard))


def data_bytes() -> int:
    """The memory that this process may write to without having asked the kernel again."""
    return _status_kb("VmData", Path("/proc/self/status").read_text()) * 1024


def private_mb() -> float:
    """The memory that this process alone holds: what its end would free."""
    rollup = Path("/proc/self/smaps_rollup").read_text()
    return (_status_kb("Private_Clean", rollup) + _status_kb("Private_Dirty", rollup)) / 1024


def give_back() -> None:
    """Returns to the host what the C library keeps for later: 0.2 ms, or 3 where it is tens of megabytes.

    glibc has a call for it; with another C library nothing happens.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _status_kb(name: str, text: str) -> int:
    line = next(line for line in text.splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1])


def _limit(which: int, value: int) -> None:
    _, hard = resource.getrlimit(which)
    resource.setrlimit(which, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))
