"""`python -m evals.bench.services`: how soon the services answer over HTTP, measured on this machine.

With `--calls` so many calls go on meanwhile; their callers are processes on the same cores.
"""

import argparse
import asyncio
import math
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import aiohttp
from loguru import logger
from rich.console import Console
from rich.table import Table

from evals.bench.machine import machine
from evals.bench.servers import data_dir
from evals.program import RECORDINGS, ROOT, Jarvis

QUESTIONS = [f"q{number:02}" for number in range(1, 13)]
GREETINGS_SECS = 12.0
SERVICES = ("ingress", "asr", "llm", "rag", "tts")
# The header of a WAV file is sent before anything is said.
HEADER_BYTES = 44
BUSY = 503
TEXT = "The workshop is closed on Sundays. Unused items can be sent back within thirty days."
ASKED = {"messages": [{"role": "user", "content": "How long can goods be returned?"}], "knowledge": True}


class Services:
    """Asks one request at a time; each returns the seconds it took."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self._said = ""

    async def speech(self, form: str, *, again: bool) -> float:
        """To the first byte of speech: of a new text, or of the last one again."""
        self._said = self._said if again else f"It is {time.time()}. {TEXT}"
        began, taken, first = time.perf_counter(), 0, 0.0
        async with self._http.post("/api/tts/synthesize/stream", json={"text": self._said, "format": form}) as response:
            response.raise_for_status()
            async for part in response.content.iter_any():
                taken += len(part)
                if taken > HEADER_BYTES and not first:
                    first = time.perf_counter() - began
        return first

    async def completion(self) -> float:
        """To the end of a grounded answer."""
        return await self._whole("POST", "/api/llm/complete", json=ASKED)

    async def transcription(self) -> float:
        """To the words of 2.6 s of speech."""
        audio = (RECORDINGS / "slt" / "q18.flac").read_bytes()
        return await self._whole("POST", "/api/asr/transcribe", data=audio, headers={"Content-Type": "audio/flac"})

    async def health(self) -> float:
        """The slowest of the five."""
        return max([await self._whole("GET", f"/api/{service}/healthz") for service in SERVICES])

    async def _whole(self, method: str, path: str, **request: object) -> float:
        began = time.perf_counter()
        async with self._http.request(method, path, **request) as response:  # pyright: ignore[reportArgumentType]
            response.raise_for_status()
            await response.read()
        return time.perf_counter() - began


async def measure(jarvis: Jarvis, *, runs: int, calls: int, folder: Path, table: Table) -> None:
    """Fill the table."""
    callers = [await _caller(jarvis, folder / f"call{number}.wav") for number in range(calls)]
    await asyncio.sleep(GREETINGS_SECS if calls else 0)
    headers = {"Authorization": f"Bearer {jarvis.operator_key()}"}
    async with aiohttp.ClientSession(base_url=jarvis.url, headers=headers) as http:
        services = Services(http)
        await services.speech("wav", again=False)
        rows: dict[str, Callable[[], Awaitable[float]]] = {
            "healthz, the slowest of five": services.health,
            "a grounded answer, whole": services.completion,
            "a question transcribed": services.transcription,
        }
        for name, ask in rows.items():
            _row(table, name, [await _taken(ask()) for _ in range(runs)], callers)
        for form in ("wav", "mp3", "opus"):
            new, again = list[float | None](), list[float | None]()
            for _ in range(runs):
                new.append(await _taken(services.speech(form, again=False)))
                again.append(await _taken(services.speech(form, again=True)))
            _row(table, f"first byte of streamed {form}", new, callers)
            _row(table, f"the same from the cache, {form}", again, callers)
    for caller in callers:
        if caller.returncode is None:
            caller.terminate()
        await caller.wait()


async def _caller(jarvis: Jarvis, out: Path) -> asyncio.subprocess.Process:
    command = [sys.executable, "-m", "server", *jarvis.call_arguments(*QUESTIONS, out=out)]
    nowhere = asyncio.subprocess.DEVNULL
    return await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=jarvis.environment, stdout=nowhere, stderr=nowhere
    )


async def _taken(asking: Awaitable[float]) -> float | None:
    """What it took; None where the services are too busy for it."""
    try:
        return await asking
    except aiohttp.ClientResponseError as error:
        if error.status != BUSY:
            raise
        return None


def _row(table: Table, name: str, taken: list[float | None], callers: Sequence[asyncio.subprocess.Process]) -> None:
    ordered = sorted(1000 * each for each in taken if each is not None) or [math.nan]
    at = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.95, 0.99)]
    calls = sum(caller.returncode is None for caller in callers)
    table.add_row(name, *(f"{each:.0f}" for each in at), str(len(taken)), str(taken.count(None)), str(calls))


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m evals.bench.services", description=__doc__)
    parser.add_argument("--runs", type=int, default=50, help="requests of each kind (50)")
    parser.add_argument("--calls", type=int, default=0, help="calls that go on meanwhile (0)")
    options = parser.parse_args()
    logger.remove()
    table = Table(
        "ms", "p50", "p95", "p99", "runs", "refused", "calls then", title=f"{machine()}; {options.calls} calls"
    )
    with data_dir() as path:
        jarvis = Jarvis(path, JARVIS_MAX_SESSIONS=str(max(1, options.calls)))
        jarvis.start()
        try:
            asyncio.run(measure(jarvis, runs=options.runs, calls=options.calls, folder=path, table=table))
        finally:
            jarvis.stop()
    Console().print(table)


if __name__ == "__main__":
    main()
