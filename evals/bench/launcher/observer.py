"""A caller in a process of its own, so that nothing but its own call reaches its ears: `python -m … URL`.

It calls, comes back when it loses the line, as the page does, and does what it reads from stdin: `ask NAME` speaks a
recording, `hang_up` ends the call and prints what was heard as JSON, all times by the host's monotonic clock.
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass

import aiohttp
from loguru import logger

from evals.caller.audio import RATE_HZ, voiced_runs
from evals.caller.errors import CallError
from evals.caller.ingress import Ingress, Session
from evals.caller.line import WebRtcLine
from evals.caller.speaker import at_48khz, read_recording
from evals.program import RECORDINGS

POLL_SECS = 0.05
DOUBTED_SECS = 0.4
DIAL_SECS = 2.5
GIVEN_UP_SECS = 30.0


@dataclass
class Leg:
    """One connection of the call; `began` is when its media connected."""

    line: WebRtcLine
    began: float


class Observer:
    """One caller."""

    def __init__(self, *, ingress: Ingress, session: Session):
        self._ingress = ingress
        self._session = session
        self._legs: list[Leg] = []
        self._asked: list[tuple[float, float]] = []
        self._end_reason: str | None = None

    async def join(self) -> None:
        """Connects, for the first time or again."""
        line = WebRtcLine(only_loopback=True)
        replaces = self._legs[-1].line.pc_id if self._legs else None
        await line.connect(lambda offer: self._ingress.offer(self._session, offer), replaces=replaces)
        self._legs.append(Leg(line, time.monotonic() - line.now_secs))

    async def watch(self) -> None:
        """Comes back whenever the line is lost, until the call has ended."""
        while self._end_reason is None:
            await asyncio.sleep(POLL_SECS)
            leg = self._legs[-1]
            silent_secs = time.monotonic() - (leg.line.arrivals[-1] if leg.line.arrivals else leg.began)
            if silent_secs < DOUBTED_SECS:
                continue
            if silent_secs > GIVEN_UP_SECS:
                self._end_reason = "lost"
                return
            try:
                state = await self._ingress.state(self._session)
                if state.state == "ended":
                    self._end_reason = state.end_reason or "ended"
                elif state.state == "reconnecting" or silent_secs > DIAL_SECS:
                    await self.join()
            except CallError:
                await asyncio.sleep(POLL_SECS)

    async def ask(self, name: str) -> None:
        """Speaks a recording."""
        line = self._legs[-1].line
        samples = at_48khz(read_recording(RECORDINGS / "slt" / f"{name}.flac"))
        line.say(samples)
        while line.spoken is None:  # noqa: ASYNC110  (as the line's own users ask)
            await asyncio.sleep(POLL_SECS)
        begun = self._legs[-1].began
        voiced = voiced_runs(samples)
        start = begun + line.spoken.start / RATE_HZ
        self._asked.append((start + voiced[0].start / RATE_HZ, start + voiced[-1].stop / RATE_HZ))

    async def heard(self) -> dict[str, object]:
        """Ends the call: what was heard of the bot, and when."""
        arrivals = [at for leg in self._legs for at in leg.line.arrivals]
        voiced = [
            (leg.began + run.start / RATE_HZ, leg.began + run.stop / RATE_HZ)
            for leg in self._legs
            for run in await asyncio.to_thread(voiced_runs, leg.line.recording.bot)
        ]
        await self._ingress.hang_up(self._session)
        for leg in self._legs:
            await leg.line.close()
        return {
            "arrivals": arrivals,
            "voiced": voiced,
            "asked": self._asked,
            "began": [leg.began for leg in self._legs],
            "end_reason": self._end_reason,
        }


async def main(url: str) -> None:
    """Calls, and does what it is told."""
    stdin = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    lags: list[tuple[float, float]] = []
    async with aiohttp.ClientSession() as http:
        ingress = Ingress(base_url=url, http=http)
        session = await ingress.create()
        observer = Observer(ingress=ingress, session=session)
        await observer.join()
        print(session.id, flush=True)
        tasks = [asyncio.create_task(observer.watch()), asyncio.create_task(_lag(lags))]
        while (line := (await stdin.readline()).decode().split()) and line[0] == "ask":
            await observer.ask(line[1])
            print("asked", flush=True)
        for task in tasks:
            task.cancel()
        print(json.dumps(await observer.heard() | {"lags": lags}), flush=True)


async def _lag(lags: list[tuple[float, float]]) -> None:
    """Notes each time that this process itself was late: (when, seconds)."""
    while True:
        before = time.monotonic()
        await asyncio.sleep(0.005)
        late = time.monotonic() - before - 0.005
        if late > 0.01:
            lags.append((before, late))


if __name__ == "__main__":
    logger.remove()
    asyncio.run(main(sys.argv[1]))
