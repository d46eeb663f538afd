"""How many more calls this host can take: measured, not guessed."""

import asyncio
import statistics
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import psutil

from server.ingress.container import Container, CpuQuota

SAMPLE_SECS = 1.0
WINDOW = 5
# What a call is taken to cost while none is measured: its bot, and its share of speech and retrieval.
ASSUMED_CORE_PERCENT = 30.0
ASSUMED_MEMORY_MB = 60.0
MB = 2**20
Scarce = Literal["max_sessions", "cpu", "memory"]
# Time in which a core could have served a call; niced work gives way to it. The guests' is told twice.
FREE = ("idle", "iowait", "nice")
TOLD_TWICE = ("guest", "guest_nice")


@dataclass(frozen=True, slots=True)
class HostLoad:
    """CPU in percent of all cores, mean of some seconds; and the memory that is to be had.

    Niced work is left out. In a container with a quota of CPU the percentage is of the quota, where that is more; niced
    work is in it then, since it uses the quota up, too.
    """

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
    limited_by: Scarce | None
    cpu_percent: float
    max_cpu_percent: float
    available_mb: int
    call_cpu_percent: float
    call_memory_mb: float


def capacity(*, load: HostLoad, live: int, young: int, cost: CallCost, limits: Limits) -> Capacity:
    """How many more calls fit. `young` calls are not shown by the load yet: each counts with its whole cost.

    With no live call, CPU refuses nobody: a host that is busy with something else still takes one. A limit of more than
    100 percent never does. Memory always may. What one bot takes stays in reserve: a bot that dies is replaced before
    all of its memory is back.
    """
    a_call_mb = max(limits.bot_memory_mb, cost.memory_mb)
    to_be_had_mb = load.available_mb - cost.memory_mb
    fit: dict[Scarce, int] = {
        "max_sessions": limits.max_sessions - live,
        "cpu": int((limits.max_cpu_percent - load.cpu_percent) / cost.cpu_percent) - young,
        "memory": (int(to_be_had_mb / a_call_mb) if a_call_mb else limits.max_sessions) - young,
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


def measured_cost(samples: Sequence[tuple[float, float]], *, cores: float) -> CallCost:
    """The mean of live calls, each (percent of one core, private MB) of its bot; the assumed cost where there is none.

    The assumed one has the call's share of speech and retrieval in it. The measured one has not: what the calls take
    there is in the load already.
    """
    if not samples:
        return CallCost(ASSUMED_CORE_PERCENT / cores, ASSUMED_MEMORY_MB)
    cpu = statistics.fmean(cpu for cpu, _ in samples)
    memory = statistics.fmean(memory for _, memory in samples)
    return CallCost(max(cpu, 1.0) / cores, memory)


def busy_percent(before: Mapping[str, float], now: Mapping[str, float]) -> float | None:
    """How busy the cores were between two readings of their times in seconds; None where no time passed.

    What interrupts took, and what the hypervisor kept (steal), counts as busy.
    """
    spent = {name: now[name] - before[name] for name in now if name not in TOLD_TWICE}
    passed = sum(spent.values())
    if passed <= 0:
        return None
    return min(100.0, max(0.0, 100 * (1 - sum(spent.get(name, 0.0) for name in FREE) / passed)))


def quota_percent(before: CpuQuota | None, now: CpuQuota | None, *, passed_secs: float) -> float | None:
    """How much of a container's quota was used between two readings; None where that is not known."""
    if before is None or now is None or before.used_secs is None or now.used_secs is None or passed_secs <= 0:
        return None
    return min(100.0, max(0.0, 100 * (now.used_secs - before.used_secs) / (passed_secs * now.cores)))


@dataclass(frozen=True, slots=True)
class Reading:
    """What was told at one moment: the cores' times in seconds, and the quota where there is one."""

    at_mono: float
    times: Mapping[str, float]
    quota: CpuQuota | None


class HostMeter:
    """Measures the host once a second, and the container that the server runs in."""

    def __init__(self, *, container: Container | None = None) -> None:
        self._container = container or Container.found()
        self._samples: deque[float] = deque(maxlen=WINDOW)
        self._before: Reading | None = None

    @property
    def load(self) -> HostLoad:
        """The load of the last seconds, and the memory as it is now."""
        cpu_percent = statistics.fmean(self._samples) if self._samples else 0.0
        left = [psutil.virtual_memory().available, self._container.memory_left()]
        return HostLoad(cpu_percent, min(each for each in left if each is not None) // MB)

    @property
    def cores(self) -> float:
        """The cores that the load is a percentage of: the host's, or the quota's where that is less."""
        cores, quota = psutil.cpu_count() or 1, self._container.cpu_quota()
        return cores if quota is None else min(cores, quota.cores)

    async def run(self) -> None:
        """Measures until cancelled."""
        while True:
            self.take(Reading(time.monotonic(), psutil.cpu_times()._asdict(), self._container.cpu_quota()))
            await asyncio.sleep(SAMPLE_SECS)

    def take(self, now: Reading) -> None:
        """Adds what was used since the reading before to the load: of the cores or of the quota, whichever is more."""
        before, self._before = self._before, now
        if before is None:
            return
        found = (
            busy_percent(before.times, now.times),
            quota_percent(before.quota, now.quota, passed_secs=now.at_mono - before.at_mono),
        )
        if known := [percent for percent in found if percent is not None]:
            self._samples.append(max(known))
