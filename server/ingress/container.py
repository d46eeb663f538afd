"""What the container, or the unit of systemd, that this process runs in may take: read from its control groups.

Version 1 and 2 of them are read. A limit may stand on any group above as well; the tightest counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

# The group of a process, and where the groups are mounted.
MEMBERSHIP = Path("/proc/self/cgroup")
MOUNT = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class CpuQuota:
    """CPU time that may be used: seconds a second, and what was used so far, where that is told."""

    cores: float
    used_secs: float | None


class Container:
    """The limits of this process' groups, read anew each time: they can be changed while it runs."""

    def __init__(self, *, membership: str, mount: Path):
        self._memory = folders(membership, controller="memory", mount=mount)
        self._cpu = folders(membership, controller="cpu", mount=mount)

    @classmethod
    def found(cls) -> "Container":
        """That of this process; one without limits where the system has no control groups."""
        try:
            membership = MEMBERSHIP.read_text()
        except OSError:
            membership = ""
        return cls(membership=membership, mount=MOUNT)

    def memory_left(self) -> int | None:
        """The bytes that may still be taken; None without a limit."""
        return min((left for each in self._memory if (left := memory_left(each)) is not None), default=None)

    def cpu_quota(self) -> CpuQuota | None:
        """The tightest quota; None without one."""
        quotas = [quota for each in self._cpu if (quota := cpu_quota(each)) is not None]
        return min(quotas, key=lambda quota: quota.cores, default=None)


def folders(membership: str, *, controller: str, mount: Path) -> Sequence[Path]:
    """The folder of the group that a process is in, and those of the groups above, nearest first.

    `membership` is its /proc/self/cgroup, lines of id:controllers:path; no controllers is version 2. The mount itself
    is the last: in a container it may be the container's group, and the path one of the host, not seen there.
    """
    groups = [line.split(":", 2)[1:] for line in membership.splitlines() if line.count(":") >= 2]
    for names, path in groups:
        if controller in names.split(","):
            return _upwards(path, mount / controller)
    return next((_upwards(path, mount) for names, path in groups if not names), [])


def memory_left(folder: Path) -> int | None:
    """The bytes that one group may still take, what is only file cache counting as free; None without a limit."""
    if (limit := _read(folder / "memory.max")) is not None:
        used, cache = _read(folder / "memory.current"), "inactive_file"
    else:
        limit, used = _read(folder / "memory.limit_in_bytes"), _read(folder / "memory.usage_in_bytes")
        cache = "total_inactive_file"
    if limit is None or used is None or not limit.isdecimal():
        return None
    return max(0, int(limit) - int(used) + _figures(_read(folder / "memory.stat")).get(cache, 0))


def cpu_quota(folder: Path) -> CpuQuota | None:
    """What one group may use; None without a quota."""
    if (quota := _read(folder / "cpu.max")) is not None:
        used_us = _figures(_read(folder / "cpu.stat")).get("usage_usec")
        used_secs = None if used_us is None else used_us / 1e6
    else:
        quota = f"{_read(folder / 'cpu.cfs_quota_us')} {_read(folder / 'cpu.cfs_period_us')}"
        used_ns = _read(folder / "cpuacct.usage")
        used_secs = None if used_ns is None else int(used_ns) / 1e9
    allowed, _, period = quota.partition(" ")
    return CpuQuota(int(allowed) / int(period), used_secs) if allowed.isdecimal() and period.isdecimal() else None


def _upwards(path: str, mount: Path) -> Sequence[Path]:
    inside = PurePosixPath(path.lstrip("/"))
    if ".." in inside.parts:
        return [mount]
    return [mount / each for each in (inside, *inside.parents)]


def _figures(text: str | None) -> dict[str, int]:
    """Lines of a name and a number."""
    pairs = (line.split() for line in (text or "").splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdecimal()}


def _read(file: Path) -> str | None:
    """What stands in the file; None where there is no such file, or no right to read it."""
    try:
        return file.read_text().strip()
    except OSError:
        return None
