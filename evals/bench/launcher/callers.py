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
ANSWER_SECS = 8.0


@dataclass(frozen=True)
class Heard:
    """What one caller heard; times by the host's monotonic clock."""

    arrivals: list[float]
    voiced: list[tuple[float, float]]
    asked: list[tuple[float, float]]
    began: list[float]
    end_reason: str | None
    lags: list[tuple[float, float]] = field(repr=False)

    def gaps(self, start: float, stop: float) -> list[float]:
        """The seconds between frames in that stretch, its edges included, less what this caller itself was late."""
        moments = [start, *(at for at in self.arrivals if start < at < stop), stop]
        return [later - earlier - self._late_secs(earlier, later) for earlier, later in pairwise(moments)]

    def voice_after(self, at: float) -> float | None:
        """How long after that moment a voice began or went on, once there had been a pause in what came."""
        return next((start - at for start, _ in self.voiced if start > at), None)

    def v2v_ms(self, start: float, stop: float) -> list[float]:
        """The milliseconds from the end of each question asked in that stretch to the answer's first voiced sample.

        A voice that comes later than an answer does, or after the next question began, is none.
        """
        waits = []
        for number, (begin, end) in enumerate(self.asked):
            wait = self.voice_after(end)
            nexts = [later for later, _ in self.asked[number + 1 :]]
            limit = min(ANSWER_SECS, nexts[0] - end if nexts else ANSWER_SECS)
            if start <= begin <= stop and wait is not None and wait < limit:
                waits.append(1000 * wait)
        return waits

    def _late_secs(self, earlier: float, later: float) -> float:
        """How long this caller did not run between these moments."""
        return sum(max(0.0, min(later, at + secs) - max(earlier, at)) for at, secs in self.lags)


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
        try:
            session_id = (await asyncio.wait_for(process.stdout.readline(), JOIN_SECS)).decode().strip()
        except BaseException:
            process.kill()
            raise
        if not session_id:
            raise RuntimeError("a caller was not connected")
        return cls(process, session_id)

    def leave(self) -> None:
        """Ends the caller without a word, where it is still there."""
        if self._process.returncode is None:
            self._process.kill()

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
