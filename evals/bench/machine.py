"""What it is measured on, and whether that is quiet enough."""

import os
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

CPU_INFO = Path("/proc/cpuinfo")
GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
LOOK_SECS, LOOKS = 3.0, 3
# What a host that nobody uses takes for itself.
QUIET_PERCENT = 15.0


@dataclass(frozen=True, slots=True)
class Machine:
    """The host; `busy_percent` is how busy all its cores were before it began, `load` that of the last minute."""

    cpu: str
    cores: int
    memory_gb: float
    kernel: str
    python: str
    governor: str | None
    load: float
    busy_percent: float | None = None

    @property
    def is_quiet(self) -> bool:
        """Whether nothing else wanted the cores; a host that was not looked at is taken for quiet."""
        return self.busy_percent is None or self.busy_percent <= QUIET_PERCENT

    def __str__(self) -> str:
        parts = [
            self.cpu,
            f"{self.cores} cores",
            f"{self.memory_gb:.0f} GB",
            f"Linux {self.kernel}" if self.kernel else "",
            f"Python {self.python}",
            f"governor {self.governor}" if self.governor else "",
            f"load {self.load:.1f}",
        ]
        described = ", ".join(part for part in parts if part)
        return described if self.is_quiet else f"{described}; BUSY: {self.busy_percent:.0f} % before it began"

    def to_json(self) -> dict[str, Any]:
        """It in JSON's types."""
        return asdict(self) | {"is_quiet": self.is_quiet}


def machine(*, busy_percent: Callable[[], float] | None = None) -> Machine:
    """This host; how busy it is is only looked at where that is asked for: `busy_percent` takes its time."""
    return Machine(
        cpu=_cpu(),
        cores=psutil.cpu_count() or 1,
        memory_gb=round(psutil.virtual_memory().total / 2**30, 1),
        kernel=platform.release() if platform.system() == "Linux" else "",
        python=platform.python_version(),
        governor=_first_line(GOVERNOR),
        load=round(os.getloadavg()[0], 2),
        busy_percent=None if busy_percent is None else round(busy_percent(), 1),
    )


def busy_percent() -> float:
    """How busy all cores are over three seconds, the quietest of three times where it is not quiet at once. Blocks."""
    least = 100.0
    for _ in range(LOOKS):
        least = min(least, psutil.cpu_percent(interval=LOOK_SECS))
        if least <= QUIET_PERCENT:
            break
    return least


@dataclass(frozen=True, slots=True)
class Usage:
    """The seconds of all cores that were used until now, by everybody and by this process and its children."""

    at_secs: float
    all_secs: float
    own_secs: float

    @classmethod
    def now(cls) -> "Usage":
        """Children count once they have ended; what detached itself counts as others."""
        times, own = psutil.cpu_times(), os.times()
        used = sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0)
        mine = own.user + own.system + own.children_user + own.children_system
        return cls(time.monotonic(), used - getattr(times, "guest_nice", 0.0), mine)

    def others_percent(self, before: "Usage", *, cores: int) -> float:
        """How much of all cores others took since then."""
        others = (self.all_secs - before.all_secs) - (self.own_secs - before.own_secs)
        return round(max(0.0, 100 * others / ((self.at_secs - before.at_secs) * cores)), 1)


def _cpu() -> str:
    """The processor's name where the kernel tells it, else its architecture."""
    try:
        lines = CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "Model"))]
    return names[0] if names and names[0] else platform.machine()


def _first_line(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii").strip() or None
    except OSError:
        return None
