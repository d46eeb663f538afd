"""`python -m evals.bench`: the figures of `docs/performance.md`, measured on this machine.

The recogniser, answerer and voice are the embedded ones; no vendor is in the path.
"""

import argparse
import asyncio
import json
import platform
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import aiohttp
import psutil
from loguru import logger
from rich.console import Console
from rich.table import Table

from evals.caller.ingress import Ingress
from evals.caller.line import WebRtcLine
from evals.program import Jarvis

QUESTIONS = ("q04", "q18", "q14", "q30", "q03", "q19", "q25", "q10", "q27", "q01")
TURNS_A_CALL = 3
GREETING_SECS = 6.0
SETTLE_SECS = 4.0
WINDOW_SECS = 8.0


@dataclass(frozen=True)
class Figure:
    """A measured quantity: its runs' values in `unit`."""

    name: str
    unit: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle of the runs."""
        return statistics.median(self.values)


@contextmanager
def data_dir() -> Iterator[Path]:
    """A fresh data directory, below /tmp since Postgres may run as another account."""
    path = Path(tempfile.mkdtemp(prefix="jarvis-bench-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def start_secs(jarvis: Jarvis) -> float:
    """Seconds from the command to the printed link."""
    began = time.monotonic()
    jarvis.start()
    return time.monotonic() - began


def cold_starts(runs: int) -> Figure:
    """First starts: the database is made, the model built, the handbook indexed."""
    values = []
    for _ in range(runs):
        with data_dir() as path:
            jarvis = Jarvis(path)
            values.append(start_secs(jarvis))
            jarvis.stop()
    return Figure("start, first time", "s", tuple(values))


def warm_starts(path: Path, runs: int) -> Figure:
    """Later starts on the same data."""
    values = []
    for _ in range(runs):
        jarvis = Jarvis(path)
        values.append(start_secs(jarvis))
        jarvis.stop()
    return Figure("start, warm", "s", tuple(values))


def creates(jarvis: Jarvis, runs: int) -> Figure:
    """Session create to a bot that has the session, from the warm pool."""
    values = []
    for _ in range(runs):
        time.sleep(1.0)
        began = time.monotonic()
        _, created, _ = jarvis.request("POST", "/api/ingress/session/create", {})
        values.append((time.monotonic() - began) * 1000)
        jarvis.request("DELETE", f"/api/ingress/session/{created['id']}", token=created["token"])
    return Figure("session create to bot ready", "ms", tuple(values))


def conversations(jarvis: Jarvis, questions: Sequence[str]) -> list[Figure]:
    """Calls of recorded questions: voice to voice on the audio, and the greeting."""
    v2v: list[float] = []
    greeted: list[float] = []
    with data_dir() as path:
        for first in range(0, len(questions), TURNS_A_CALL):
            report = jarvis.call(*questions[first : first + TURNS_A_CALL], out=path / "call.wav")
            v2v += [turn["v2v_ms"] for turn in report["turns"] if turn["v2v_ms"] is not None]
            greeted.append(report["greeting"]["after_ms"])
    return [Figure("voice to voice", "ms", tuple(v2v)), Figure("media connected to first word", "ms", tuple(greeted))]


@dataclass(frozen=True)
class Cost:
    """What a call took: CPU of its bot in percent of a core, while it speaks and while nobody does; its own memory."""

    talking_percent: float
    idle_percent: float
    private_mb: float


async def cost_of_a_call(jarvis: Jarvis) -> Cost:
    """A call whose caller hears the greeting and says nothing."""
    line = WebRtcLine(only_loopback=True)
    async with aiohttp.ClientSession() as http:
        ingress = Ingress(base_url=jarvis.url, http=http)
        session = await ingress.create()
        bot = min(jarvis.bots(), key=lambda each: each.create_time())
        try:
            await line.connect(lambda offer: ingress.offer(session, offer))
            talking = await cpu_percent(bot, GREETING_SECS)
            await asyncio.sleep(SETTLE_SECS)
            idle = await cpu_percent(bot, WINDOW_SECS)
            return Cost(talking, idle, bot.memory_full_info().uss / 2**20)
        finally:
            await ingress.hang_up(session)
            await line.close()


async def cpu_percent(bot: psutil.Process, secs: float) -> float:
    """CPU of this bot over so many seconds, in percent of a core."""
    bot.cpu_percent()
    await asyncio.sleep(secs)
    return bot.cpu_percent()


def costs(jarvis: Jarvis, runs: int) -> list[Figure]:
    """What a call costs while the bot speaks, and while nobody does."""
    calls = [asyncio.run(cost_of_a_call(jarvis)) for _ in range(runs)]
    return [
        Figure("CPU of a call, bot speaking", "% of a core", tuple(c.talking_percent for c in calls)),
        Figure("CPU of a call, nobody speaking", "% of a core", tuple(c.idle_percent for c in calls)),
        Figure("private memory of a call", "MB", tuple(c.private_mb for c in calls)),
    ]


def measure(runs: int) -> Iterator[Figure]:
    """All figures, each as soon as it is known."""
    yield cold_starts(runs)
    with data_dir() as path:
        jarvis = Jarvis(path)
        jarvis.start()
        jarvis.stop()
        yield warm_starts(path, runs)
        jarvis = Jarvis(path)
        jarvis.start()
        try:
            yield creates(jarvis, runs)
            yield from conversations(jarvis, QUESTIONS[:runs])
            yield from costs(jarvis, runs)
        finally:
            jarvis.stop()


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m evals.bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=10, help="runs of each measurement (10)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    options = parser.parse_args()
    logger.remove()
    console = Console(stderr=True)
    figures: list[Figure] = []
    with console.status("measuring; the first figure takes the longest"):
        for figure in measure(options.runs):
            console.print(f"{figure.name}: {figure.median:.1f} {figure.unit}")
            figures.append(figure)
    if options.json:
        print(json.dumps({"machine": machine(), "figures": [asdict(f) | {"median": f.median} for f in figures]}))
        return
    table = Table(title=f"{machine()}; embedded recogniser, answerer and voice", title_justify="left")
    for name in ("figure", "median", "min", "max", "unit", "runs"):
        table.add_column(name, justify="left" if name in ("figure", "unit") else "right")
    for f in figures:
        values = (f.median, min(f.values), max(f.values))
        table.add_row(f.name, *(f"{v:.1f}" for v in values), f.unit, str(len(f.values)))
    Console().print(table)


def machine() -> str:
    """What it was measured on."""
    memory_gb = psutil.virtual_memory().total / 2**30
    return f"{psutil.cpu_count()} cores, {memory_gb:.0f} GB, {platform.machine()}, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
