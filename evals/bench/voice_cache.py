"""`python -m evals.bench.voice_cache`: how soon a voice begins that says again what it said before.

Pipecat's Cartesia service as a bot has it, a double in the vendor's place, and the Redis of a Jarvis of its own; the
times are from the text to the first audio that leaves the service.
"""

import argparse
import asyncio
import math
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from loguru import logger
from pipecat.frames.frames import TTSAudioRawFrame, TTSSpeakFrame, TTSStoppedFrame
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from bot.desk.line import Line
from bot.providers.cartesia import CartesiaTTS
from bot.settings import BotSettings, Retrieval
from bot.takes import voice_cache
from evals.bench.machine import machine
from evals.bench.servers import data_dir
from evals.drill.doubles import doubles
from evals.program import Jarvis

VOICE = "tts/cartesia"
SPEECH_SECS = 20.0
GOAL_MS = 10.0
TEXT = "Hello, this is Jarvis at the workshop. I answer from our handbook, and say where it stands. How can I help?"


async def first_audio_secs(line: Line, text: str) -> float:
    """From the text to its first audio; returns when all of it was spoken."""
    began, first = time.perf_counter(), 0.0
    await line.put(TTSSpeakFrame(text))
    while not isinstance(frame := await line.next(timeout_secs=SPEECH_SECS), TTSStoppedFrame):
        if isinstance(frame, TTSAudioRawFrame) and not first:
            first = time.perf_counter() - began
    return first


async def measure(voice: CartesiaTTS, *, redis_url: str, runs: int) -> tuple[list[float], list[float]]:
    """The seconds of texts that were never said, and of one that was."""
    settings = BotSettings(retrieval=Retrieval(socket=Path("none")), speech_socket=Path("none"))
    async with voice_cache(settings, redis_url=redis_url, call_id="bench", report=lambda _event: None) as cache:
        line = Line([voice.build(speech_socket=Path("none"), cache=cache)], takes=(TTSAudioRawFrame, TTSStoppedFrame))
        await line.start()
        try:
            # The first opens what is opened once.
            await first_audio_secs(line, TEXT)
            missed = [await first_audio_secs(line, f"It is {time.time()}. {TEXT}") for _ in range(max(3, runs // 10))]
            hit = [await first_audio_secs(line, TEXT) for _ in range(runs)]
        finally:
            await line.end()
    return missed, hit


def row(name: str, secs: Sequence[float]) -> tuple[str, ...]:
    """A line of the table, in milliseconds."""
    p95 = sorted(secs)[math.ceil(0.95 * len(secs)) - 1]
    return name, str(len(secs)), *(f"{each * 1000:.1f}" for each in (statistics.median(secs), p95, max(secs)))


async def _run(runs: int) -> None:
    async with doubles([VOICE]) as served:
        with data_dir() as place:
            jarvis = Jarvis(place, **served.variables)
            await asyncio.to_thread(jarvis.start)
            try:
                port, password = ((place / "redis" / name).read_text().strip() for name in ("port", "password"))
                key, url = (served.variables[f"CARTESIA_{name}"] for name in ("API_KEY", "BASE_URL"))
                voice = CartesiaTTS(api_key=SecretStr(key), base_url=url, silence_secs=0.2)
                missed, hit = await measure(voice, redis_url=f"redis://:{password}@127.0.0.1:{port}/0", runs=runs)
            finally:
                await asyncio.to_thread(jarvis.stop)
    table = Table("First audio", "n", "p50 ms", "p95 ms", "max ms", title=f"{machine()}; the vendor is simulated")
    table.add_row(*row("asked of the vendor", missed))
    table.add_row(*row(f"said again (goal: p95 ≤ {GOAL_MS:.0f} ms)", hit))
    Console().print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100, help="how often the known text is said")
    logger.remove()
    asyncio.run(_run(parser.parse_args().runs))
