"""How many more calls this host can take: measured, not guessed."""

import asyncio
import statistics
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

SAMPLE_SECS = 1.0
WINDOW = 5
# What a call is taken to cost while none is measured: its bot, and its share of speech and retrieval.
ASSUMED_CORE_PERCENT = 30.0
ASSUMED_MEMORY_MB = 60.0
MB = 2**20
# Where a container sees its own limits (version 2 of cgroups).
CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class HostLoad:
    """CPU of all cores in percent, niced work left out, mean of some seconds; and the memory that is to be had."""

    cpu_percent: float
    available_mb: int


@dataclass(frozen=True, slots=True)
class CallCost:
    """What one call takes: percent of all cores, and memory."""

    cpu_percent: float
    memory_mb: float


@dataclass(frozen=True, slots=True)
class Limits:
    """What the operator allows."""

    max_sessions: int
    max_cpu_percent: float
    bot_memory_mb: int


@dataclass(frozen=True, slots=True)
class Capacity:
    """What the host can take now; `limited_by` says what is short where `free` is 0."""

    max_sessions: int
    live: int
    free: int
    limited_by: str | None
    cpu_percent: float
    max_cpu_percent: float
    available_mb: int
    call_cpu_percent: float
    call_memory_mb: float


def capacity(*, load: HostLoad, live: int, young: int, cost: CallCost, limits: Limits) -> Capacity:
    """How many more calls fit. `young` calls are not shown by the load yet: each counts with its whole cost.

    With no live call, CPU refuses nobody: a host that is busy with something else still takes one. A limit of more than
    100 percent never does.
    """
    a_call_mb = max(limits.bot_memory_mb, cost.memory_mb)
    fit = {
        "max_sessions": limits.max_sessions - live,
        "cpu": int((limits.max_cpu_percent - load.cpu_percent) / cost.cpu_percent) - young,
        "memory": (int(load.available_mb / a_call_mb) if a_call_mb else limits.max_sessions) - young,
    }
    if limits.max_cpu_percent > 100:
        del fit["cpu"]
    elif live == 0:
        fit["cpu"] = max(1, fit["cpu"])
    scarcest = min(fit, key=lambda name: fit[name])
    free = max(0, fit[scarcest])
    return Capacity(
        max_sessions=limits.max_sessions,
        live=live,
        free=free,
        limited_by=None if free else scarcest,
        cpu_percent=round(load.cpu_percent, 1),
        max_cpu_percent=limits.max_cpu_percent,
        available_mb=load.available_mb,
        call_cpu_percent=round(cost.cpu_percent, 1),
        call_memory_mb=round(cost.memory_mb, 1),
    )


def measured_cost(samples: Sequence[tuple[float, float]], *, cores: int) -> CallCost:
    """The mean of live calls, each (percent of one core, private MB); the assumed cost where there is none."""
    if not samples:
        return CallCost(ASSUMED_CORE_PERCENT / cores, ASSUMED_MEMORY_MB)
    cpu = statistics.fmean(cpu for cpu, _ in samples)
    memory = statistics.fmean(memory for _, memory in samples)
    return CallCost(max(cpu, 1.0) / cores, memory)


def left_in_cgroup(folder: Path) -> int | None:
    """The bytes that a container may still take: what is only file cache counts as free. None without a limit."""
    try:
        limit = (folder / "memory.max").read_text().strip()
        used = int((folder / "memory.current").read_text())
        stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return None
    return None if limit == "max" else max(0, int(limit) - used + int(stat.get("inactive_file", 0)))


class HostMeter:
    """Measures the host once a second."""

    def __init__(self) -> None:
        self._samples: deque[float] = deque(maxlen=WINDOW)

    @property
    def load(self) -> HostLoad:
        """The load of the last seconds, and the memory as it is now."""
        cpu_percent = statistics.fmean(self._samples) if self._samples else 0.0
        free = [psutil.virtual_memory().available, left_in_cgroup(CGROUP)]
        return HostLoad(cpu_percent, min(each for each in free if each is not None) // MB)

    async def run(self) -> None:
        """Measures until cancelled."""
        before = psutil.cpu_times()
        while True:
            await asyncio.sleep(SAMPLE_SECS)
            now = psutil.cpu_times()
            passed = sum(now) - sum(before)
            busy = (now.user - before.user) + (now.system - before.system)
            if passed > 0:
                self._samples.append(min(100.0, max(0.0, 100 * busy / passed)))
            before = now
