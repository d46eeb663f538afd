"""Callers as processes, and what their ears say."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from evals.program import ROOT, Jarvis

JOIN_SECS = 30.0
ASK_SECS = 40.0
FRAME_SECS = 0.02


@dataclass(frozen=True)
class Heard:
    """What one caller heard; times by the host's monotonic clock."""

    arrivals: list[float]
    voiced: list[tuple[float, float]]
    asked: list[tuple[float, float]]
    began: list[float]
    end_reason: str | None
    lags: list[tuple[float, float]] = field(repr=False)

    def gaps(self, start: float, stop: float, *, over_secs: float = 0.0) -> list[float]:
        """The times between two frames in that stretch that were longer, but for those when this caller was late."""
        inside = [at for at in self.arrivals if start <= at <= stop]
        return [
            later - earlier
            for earlier, later in pairwise(inside)
            if later - earlier > over_secs and not self._was_late(earlier, later)
        ]

    def voice_after(self, at: float) -> float | None:
        """How long after that moment a voice began or went on, once there had been a pause in what came."""
        return next((start - at for start, _ in self.voiced if start > at), None)

    def v2v_ms(self, start: float, stop: float) -> list[float]:
        """The milliseconds from the end of each question asked in that stretch to the answer's first voiced sample."""
        waits = [self.voice_after(end) for begin, end in self.asked if start <= begin <= stop]
        return [1000 * wait for wait in waits if wait is not None]

    def _was_late(self, earlier: float, later: float) -> bool:
        return any(earlier - FRAME_SECS <= at + secs and at <= later for at, secs in self.lags if secs > FRAME_SECS)


class Caller:
    """A caller in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, session_id: str):
        self._process = process
        self.session_id = session_id

    @classmethod
    async def call(cls, jarvis: Jarvis) -> "Caller":
        """Calls, and returns when the call is on."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "evals.bench.launcher.observer", jarvis.url,
            cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**26,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert process.stdout is not None
        session_id = (await asyncio.wait_for(process.stdout.readline(), JOIN_SECS)).decode().strip()
        if not session_id:
            raise RuntimeError("a caller was not connected")
        return cls(process, session_id)

    async def ask(self, question: str) -> None:
        """Speaks a recording to its end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"ask {question}\n".encode())
        await asyncio.wait_for(self._process.stdout.readline(), ASK_SECS)

    async def hang_up(self) -> Heard:
        """Ends the call: what was heard."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"hang_up\n")
        said = json.loads(await asyncio.wait_for(self._process.stdout.readline(), ASK_SECS))
        await self._process.wait()
        return Heard(
            arrivals=said["arrivals"],
            voiced=[(a, b) for a, b in said["voiced"]],
            asked=[(a, b) for a, b in said["asked"]],
            began=said["began"],
            end_reason=said["end_reason"],
            lags=[(a, b) for a, b in said["lags"]],
        )


async def calling(jarvis: Jarvis, count: int) -> list[Caller]:
    """So many callers, one after another."""
    return [await Caller.call(jarvis) for _ in range(count)]


async def hung_up(callers: Sequence[Caller]) -> list[Heard]:
    """What they all heard."""
    return list(await asyncio.gather(*(caller.hang_up() for caller in callers)))
