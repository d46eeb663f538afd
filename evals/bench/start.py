"""`jarvis bench start`: how soon a server is there, and how soon a caller hears the first word.

Warm means that a bot process waits for the call, cold that one is started for it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp

from evals.bench.errors import BenchError
from evals.bench.figures import Figure, Finding
from evals.bench.servers import data_dir, running
from evals.caller.audio import RATE_HZ, voiced_runs
from evals.caller.errors import CallError
from evals.caller.ingress import Description, Ingress
from evals.caller.line import WebRtcLine
from evals.program import Jarvis

WORD_SECS = 10.0
POLL_SECS = 0.05
# Until the bot that waits in the place of the one that was taken is there.
REFILL_SECS = 2.0
MANNERS = {"JARVIS_KEEP_CALLS_DAYS": "0"}

Progress = Callable[[str], None]


async def start(*, runs: int, progress: Progress) -> AsyncIterator[Finding]:
    """Starts servers for the first time and again, then calls one with and one without a bot that waits."""
    first, again = [], []
    for number in range(1, runs + 1):
        progress(f"starting for the first time: run {number} of {runs}")
        with data_dir() as path:
            first.append(await _started(path))
        yield Figure("server start, first time", "s", tuple(first))
    with data_dir() as path:
        await _started(path)
        for number in range(1, runs + 1):
            progress(f"starting again: run {number} of {runs}")
            again.append(await _started(path))
            yield Figure("server start, again", "s", tuple(again))
        for of, bots in (("warm", "1"), ("cold", "0")):
            async with running(path, **MANNERS, JARVIS_WARM_BOTS=bots) as jarvis:
                async for figure in _first_words(jarvis, of, runs, progress):
                    yield figure


async def _started(path: Path) -> float:
    """The seconds from the command to the printed link."""
    began = time.monotonic()
    async with running(path, **MANNERS):
        return time.monotonic() - began


async def _first_words(jarvis: Jarvis, of: str, runs: int, progress: Progress) -> AsyncIterator[Figure]:
    created, heard, worded = [], [], []
    async with aiohttp.ClientSession() as http:
        # The first call is the only one that finds nothing loaded; it is no measure of the others.
        for number in range(runs + 1):
            progress(f"calling, {of}: {number} of {runs}")
            await asyncio.sleep(REFILL_SECS)
            times = await _first_word(Ingress(base_url=jarvis.url, http=http))
            if number:
                for values, secs in zip((created, heard, worded), times, strict=True):
                    values.append(1000 * secs)
    yield Figure("session create to a bot that has it", "ms", tuple(created), of)
    yield Figure("media connected to first word", "ms", tuple(heard), of)
    yield Figure("session create to first word", "ms", tuple(worded), of)


async def _first_word(ingress: Ingress) -> tuple[float, float, float]:
    """The seconds from the request for a session to its answer, from connected media to the first voiced sample, and
    from the request to that.
    """
    line = WebRtcLine(only_loopback=True)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(line.close)
        began = time.monotonic()
        try:
            session = await ingress.create()
            stack.push_async_callback(ingress.hang_up, session)
            created = time.monotonic() - began

            async def exchange(offer: Description) -> Description:
                return await ingress.offer(session, offer)

            await line.connect(exchange)
        except CallError as error:
            raise BenchError(f"Jarvis could not be called: {error}") from None
        # Position 0 of the recording is when media connected.
        connected = time.monotonic() - line.now_secs - began
        while not (voice := voiced_runs(line.recording.bot)):
            if line.now_secs > WORD_SECS:
                raise BenchError(f"No word was heard within {WORD_SECS:.0f} s.")
            await asyncio.sleep(POLL_SECS)
        word = voice[0].start / RATE_HZ
        return created, word, connected + word
