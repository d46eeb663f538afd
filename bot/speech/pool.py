"""The recogniser processes: as many workers as asked for, replaced when they die and when the vocabulary changes."""

import asyncio
import contextlib
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from typing import Any

import msgpack
from loguru import logger

from bot.speech.errors import SpeechUnavailableError
from bot.speech.recognition import Engine
from bot.speech.worker import LENGTH, framed

LOAD_TIMEOUT_SECS = 30
RECOGNISE_TIMEOUT_SECS = 30
RESTART_AFTER_SECS = 1


class RecogniserPool:
    """Answers with the newest model that has loaded."""

    def __init__(self, *, engine: Engine, size: int) -> None:
        self._engine: Engine = engine
        self._size = size
        self._fleet: _Fleet | None = None

    async def use_model(self, model: Path | None) -> None:
        """Recognise with this model, or the engine's own, from now on.

        Returns when its workers answer and those of the model before are gone; requests that came before are answered
        by the old model. Raises SpeechUnavailableError, and changes nothing, when the workers do not start.
        """
        if self._fleet is not None and self._fleet.model == model:
            return
        fleet = _Fleet(engine=self._engine, model=model)
        try:
            await fleet.start(self._size)
        except BaseException:
            await fleet.end()
            raise
        former, self._fleet = self._fleet, fleet
        if former is not None:
            await former.drain()

    async def recognise(self, pcm: bytes, *, sample_rate: int) -> dict[str, Any]:
        """Recognise one utterance, in the order of arrival.

        Raises SpeechUnavailableError when its worker died or took too long; a new worker then takes its place.
        """
        if self._fleet is None:
            raise SpeechUnavailableError("No recogniser is loaded yet; try again in a second.")
        return await self._fleet.recognise({"pcm": pcm, "sample_rate": sample_rate})

    async def end(self) -> None:
        """End every worker at once; returns when they are gone."""
        if self._fleet is not None:
            await self._fleet.end()

    @property
    def pids(self) -> list[int]:
        """The workers that answer now."""
        return self._fleet.pids if self._fleet else []


class _Fleet:
    """The workers of one model."""

    def __init__(self, *, engine: Engine, model: Path | None) -> None:
        self._engine = engine
        self.model = model
        self._idle: asyncio.Queue[Process] = asyncio.Queue()
        self._workers: set[Process] = set()
        self._restarts: set[asyncio.Task[None]] = set()

    @property
    def pids(self) -> list[int]:
        return [worker.pid for worker in self._workers]

    async def start(self, size: int) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(size):
                    group.create_task(self._add_worker())
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def recognise(self, request: dict[str, Any]) -> dict[str, Any]:
        worker = await self._idle.get()
        try:
            async with asyncio.timeout(RECOGNISE_TIMEOUT_SECS):
                answer = await _ask(worker, request)
        except (OSError, EOFError, TimeoutError) as error:
            self._replace(worker)
            raise SpeechUnavailableError("The recogniser was restarted; send the utterance again.") from error
        except asyncio.CancelledError:
            self._replace(worker)
            raise
        self._idle.put_nowait(worker)
        return answer

    async def drain(self) -> None:
        """Wait for the requests that came so far, then end the workers."""
        for _ in range(len(self._workers)):
            await self._idle.get()
        await self.end()

    async def end(self) -> None:
        for restart in self._restarts:
            restart.cancel()
        workers, self._workers = self._workers, set()
        for worker in workers:
            _kill(worker)
        await asyncio.gather(*(worker.wait() for worker in workers))

    async def _add_worker(self) -> None:
        arguments = [self._engine, *([str(self.model)] if self.model else [])]
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot.speech.worker", *arguments, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
        )
        try:
            async with asyncio.timeout(LOAD_TIMEOUT_SECS):
                await _read(worker)
        except (OSError, EOFError, TimeoutError) as error:
            _kill(worker)
            raise SpeechUnavailableError(
                f"{self._engine} did not start; see that it is installed and its model whole."
            ) from error
        except asyncio.CancelledError:
            _kill(worker)
            raise
        self._workers.add(worker)
        self._idle.put_nowait(worker)

    def _replace(self, worker: Process) -> None:
        _kill(worker)
        self._workers.discard(worker)
        restart = asyncio.create_task(self._restart())
        self._restarts.add(restart)
        restart.add_done_callback(self._restarts.discard)

    async def _restart(self) -> None:
        started = False
        while not started:
            try:
                await self._add_worker()
                started = True
            except SpeechUnavailableError:
                logger.error("A recogniser did not start; the next attempt is in {} s", RESTART_AFTER_SECS)
                await asyncio.sleep(RESTART_AFTER_SECS)


async def _ask(worker: Process, request: dict[str, Any]) -> dict[str, Any]:
    assert worker.stdin is not None
    worker.stdin.write(framed(request))
    await worker.stdin.drain()
    return await _read(worker)


async def _read(worker: Process) -> dict[str, Any]:
    """One message of a worker; raises EOFError when it has died."""
    assert worker.stdout is not None
    (length,) = LENGTH.unpack(await worker.stdout.readexactly(LENGTH.size))
    return msgpack.unpackb(await worker.stdout.readexactly(length))


def _kill(worker: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        worker.kill()
