"""How many requests are answered at once, and the pipelines that are kept started for them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from loguru import logger

from bot.desk.errors import DeskBusyError, DeskUnavailableError
from bot.desk.line import Line

RESTART_SECS = 1.0
CLOSE_SECS = 5.0


class Lines:
    """At most `most` requests at once, each with a pipeline to itself.

    With `keep` one that has started waits for the next request: a pipeline that answered one without an error is used
    again, any other is ended.
    """

    def __init__(self, *, most: int, keep: Callable[[], Line] | None = None) -> None:
        self._most = most
        self._make = keep
        self._taken = 0
        self._idle: list[Line] = []
        self._background: set[asyncio.Task[None]] = set()
        self._preparing = asyncio.Lock()
        self._closed = False
        self.able = True

    async def prepare(self) -> None:
        """Have a pipeline wait for the first request; where none comes up, `able` says so and it is tried again."""
        async with self._preparing:
            while self._make is not None and not self._idle and not self._closed:
                try:
                    line = await _started(self._make())
                    self.able = True
                    await self._keep(line)
                except DeskUnavailableError:
                    self.able = False
                    logger.error("no pipeline for requests came up; the next attempt is in {} s", RESTART_SECS)
                    await asyncio.sleep(RESTART_SECS)

    @asynccontextmanager
    async def line(self, make: Callable[[], Line] | None = None) -> AsyncIterator[Line]:
        """A started pipeline, made anew where `make` says how; raises `DeskBusyError` and `DeskUnavailableError`."""
        if self._taken >= self._most:
            raise DeskBusyError(f"At most {self._most} such requests are answered at once; try again in a moment.")
        self._taken += 1
        line = None
        clean = False
        try:
            line = self._kept() if make is None else await _started(make())
            if line is None:
                assert self._make is not None
                line = await _started(self._make())
            yield line
            clean = True
        finally:
            self._taken -= 1
            if line is not None:
                self._after(line, again=clean and make is None)

    async def close(self) -> None:
        """End all pipelines that wait; those in use end with their requests."""
        self._closed = True
        lines, self._idle = self._idle, []
        for line in lines:
            self._later(line.end())
        if self._background:
            await asyncio.wait(self._background, timeout=CLOSE_SECS)

    def _kept(self) -> Line | None:
        while self._idle:
            line = self._idle.pop()
            if line.alive:
                return line
        return None

    async def _keep(self, line: Line) -> None:
        if self._closed:
            await line.end()
        else:
            self._idle.append(line)

    def _after(self, line: Line, *, again: bool) -> None:
        if again and line.alive and not self._idle and not self._closed:
            self._idle.append(line)
            return
        self._later(line.end())
        if not self._closed:
            self._later(self.prepare())

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


async def _started(line: Line) -> Line:
    await line.start()
    return line
