"""What Jarvis' processes take, by kind of process: read from the kernel as Prometheus asks, off the event loop."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import psutil
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

# Kinds that have no children of their kind.
ALONE = frozenset({"server", "preload", "bot"})


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process and those of its kind below it take: seconds of CPU so far, memory in bytes, how many they are.

    Memory that several processes share is divided among them, so that it adds up.
    """

    cpu_secs: float = 0.0
    memory_bytes: int = 0
    processes: int = 0


class ProcessTable:
    """Adds up the CPU of processes that come and go: what one took is still counted when it has ended.

    What it took between the last look and its end is lost, which is too much of what comes and goes with calls.
    """

    def __init__(self) -> None:
        self._cpu_secs: dict[str, float] = {}
        self._seen: dict[tuple[int, float], float] = {}

    def families(self, kinds: Mapping[str, Sequence[int]], *, told_cpu_secs: Mapping[str, float]) -> Iterable[Metric]:
        """The metrics of the processes of each kind, by their ids; ids of processes that ended are passed over.

        The CPU of a kind that is told is what is told.
        """
        cpu = CounterMetricFamily("jarvis_process_cpu_seconds", "CPU time by kind of process", labels=["process"])
        memory = GaugeMetricFamily(
            "jarvis_process_memory_bytes",
            "Memory by kind of process; what several share is divided among them",
            labels=["process"],
        )
        number = GaugeMetricFamily("jarvis_processes", "Processes by kind", labels=["process"])
        seen: dict[tuple[int, float], float] = {}
        below = children()
        for kind, pids in kinds.items():
            among = {} if kind in ALONE else below
            found = [usage for pid in pids if (usage := usage_of(pid, among=among)) is not None]
            for key, usage in found:
                grown = usage.cpu_secs - self._seen.get(key, 0.0)
                self._cpu_secs[kind] = self._cpu_secs.get(kind, 0.0) + max(0.0, grown)
                seen[key] = usage.cpu_secs
            cpu.add_metric([kind], told_cpu_secs.get(kind, self._cpu_secs.get(kind, 0.0)))
            memory.add_metric([kind], sum(usage.memory_bytes for _, usage in found))
            number.add_metric([kind], sum(usage.processes for _, usage in found))
        self._seen = seen
        return cpu, memory, number


def usage_of(pid: int, *, among: Mapping[int, Sequence[int]]) -> tuple[tuple[int, float], Usage] | None:
    """(id, start) and usage of a process and of all below it `among` the children; None where it has ended.

    With any among whom it could have children, the CPU of those that have ended is its own.
    """
    try:
        started = psutil.Process(pid).create_time()
    except psutil.Error:
        return None
    family = [pid]
    for each in family:
        family += among.get(each, ())
    return (pid, started), _sum(_usage(each, with_ended=bool(among)) for each in family)


def children() -> Mapping[int, Sequence[int]]:
    """The children of each process of this host, in one look: there are hundreds."""
    found: dict[int, list[int]] = {}
    for process in psutil.process_iter():
        try:
            found.setdefault(process.ppid(), []).append(process.pid)
        except psutil.Error:
            continue
    return found


def parents(pids: Iterable[int], *, below: int) -> list[int]:
    """The processes that forked these, as far as they are children of `below`."""
    found = set()
    for pid in pids:
        try:
            parent = psutil.Process(pid).parent()
            if parent is not None and parent.ppid() == below:
                found.add(parent.pid)
        except psutil.Error:
            continue
    return sorted(found)


def _usage(pid: int, *, with_ended: bool) -> Usage:
    """What one process takes, with the CPU of its children that have ended; nothing where it has ended itself."""
    try:
        process = psutil.Process(pid)
        times = process.cpu_times()
        cpu_secs = times.user + times.system
        if with_ended:
            cpu_secs += times.children_user + times.children_system
        return Usage(cpu_secs, process.memory_full_info().pss, 1)
    except psutil.Error:
        return Usage()


def _sum(usages: Iterable[Usage]) -> Usage:
    cpu_secs, memory_bytes, processes = 0.0, 0, 0
    for each in usages:
        cpu_secs += each.cpu_secs
        memory_bytes += each.memory_bytes
        processes += each.processes
    return Usage(cpu_secs, memory_bytes, processes)
