"""The vendors' doubles in a process of their own, as `tests/vendors/__main__.py` serves them."""

import asyncio
import json
import sys
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from evals.drill.errors import DrillError
from evals.program import ROOT

START_SECS = 60.0
STOP_SECS = 10.0


class Doubles:
    """Tells them how to behave; `variables` lead a Jarvis to them."""

    def __init__(self, process: asyncio.subprocess.Process, variables: dict[str, str]) -> None:
        self._process = process
        self.variables = variables
        self._asked: deque[asyncio.Future[dict[str, int]]] = deque()

    def tell(self, **what: Any) -> asyncio.Future[dict[str, int]]:
        """Tells them at once; the future has how often each was asked before."""
        assert self._process.stdin is not None
        answer: asyncio.Future[dict[str, int]] = asyncio.get_running_loop().create_future()
        self._asked.append(answer)
        self._process.stdin.write(f"{json.dumps(what)}\n".encode())
        return answer

    async def listen(self) -> None:
        """Takes their answers until they end."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            answer = self._asked.popleft()
            if not answer.done():
                answer.set_result(json.loads(line))
        for answer in self._asked:
            answer.cancel()


@asynccontextmanager
async def doubles(names: Sequence[str]) -> AsyncIterator[Doubles]:
    """Those of these names (`stt/deepgram`); raises `DrillError` where there is no source, or they don't start."""
    if not (ROOT / "tests" / "vendors" / "__main__.py").is_file():
        raise DrillError("The vendors' doubles are part of Jarvis' source, which is not here. Run it in a checkout.")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.vendors", *names,
        cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    listening: asyncio.Task[None] | None = None
    try:
        try:
            line = await asyncio.wait_for(process.stdout.readline(), START_SECS)
        except TimeoutError:
            raise DrillError(f"The vendors' doubles did not start within {START_SECS:.0f} s.") from None
        if not line:
            raise DrillError("The vendors' doubles did not start. Install what they need: make dev")
        served = Doubles(process, json.loads(line))
        listening = asyncio.create_task(served.listen(), name="doubles")
        yield served
    finally:
        process.stdin.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), STOP_SECS)
        if process.returncode is None:
            process.kill()
        if listening is not None:
            listening.cancel()
