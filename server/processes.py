"""The processes that serve all calls: started, watched, restarted, stopped."""

import asyncio
import contextlib
import json
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from loguru import logger

from server.errors import SetupError

READY_SECS = 60.0
STOP_SECS = 8.0
KILL_SECS = 5.0
FIRST_BACKOFF_SECS = 0.1
MAX_BACKOFF_SECS = 10.0
HEALTHY_SECS = 30.0

# Native libraries start a thread a core unless told; the calls need the cores.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
QUIET = {"LOGURU_LEVEL": "WARNING", "PIPECAT_LOG_LLM_CONTEXT": "off"}


class Child(Protocol):
    """What `asyncio.subprocess.Process` has of a running child."""

    stdin: asyncio.StreamWriter | None
    stdout: asyncio.StreamReader | None

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    async def wait(self) -> int: ...
    def send_signal(self, signal: int) -> None: ...


class SupervisedProcess:
    """A Python module that runs as a child and is started again when it dies.

    The child reads its settings as one line of JSON from stdin and prints `ready` when it serves. It ends on TERM;
    where this process dies its stdin closes, and it ends as soon as no call needs it.
    """

    def __init__(self, name: str, *, module: str, settings: Mapping[str, Any], environment: Mapping[str, str]):
        self.name = name
        self._module = module
        self._settings = settings
        self._environment = {**environment, **ONE_THREAD, **QUIET}
        self._process: Child | None = None
        self._watch: asyncio.Task[None] | None = None
        self._stopping = False
        self.restarts = 0
        self.on_ready: list[asyncio.Event] = []

    @property
    def pid(self) -> int | None:
        """The child's process id while there is one."""
        return None if self._process is None or self._process.returncode is not None else self._process.pid

    async def start(self) -> None:
        """Starts the child and returns when it is ready; raises `SetupError` when it does not come up."""
        try:
            self._process = await self._launch()
        except OSError as error:
            raise SetupError(f"The {self.name} process can't be started: {error.strerror}.") from error
        self._watch = asyncio.create_task(self._restart_when_dead(), name=f"watch-{self.name}")

    async def stop(self) -> None:
        """Ends the child: TERM, then KILL."""
        self._stopping = True
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        if self._process is not None:
            await _end(self._process)

    def kill(self) -> None:
        """Ends a child that does not answer; it is started again."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGKILL)

    async def _spawn(self) -> Child:
        return await asyncio.create_subprocess_exec(
            *self._command(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=dict(self._environment),
            start_new_session=True,
        )

    async def _launch(self) -> Child:
        process = await self._spawn()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(self._settings).encode() + b"\n")
            await process.stdin.drain()
            line = await asyncio.wait_for(process.stdout.readline(), READY_SECS)
        except (TimeoutError, ConnectionError, asyncio.CancelledError) as error:
            await _end(process)
            if isinstance(error, asyncio.CancelledError):
                raise
            line = b""
        if line.strip() != b"ready":
            await _end(process)
            raise SetupError(
                f"The {self.name} process did not come up (exit code {process.returncode}). What it said stands above."
            )
        return process

    def _command(self) -> Sequence[str]:
        return (sys.executable, "-m", self._module)

    async def _restart_when_dead(self) -> None:
        backoff = FIRST_BACKOFF_SECS
        while not self._stopping:
            assert self._process is not None
            started = time.monotonic()
            code = await self._process.wait()
            if time.monotonic() - started > HEALTHY_SECS:
                backoff = FIRST_BACKOFF_SECS
            logger.error("the {} process ended with code {}; starting it again in {} s", self.name, code, backoff)
            await asyncio.sleep(backoff)
            backoff = min(backoff * 2, MAX_BACKOFF_SECS)
            try:
                self._process = await self._launch()
                self.restarts += 1
                logger.info("the {} process is back", self.name)
                for event in self.on_ready:
                    event.set()
            except (SetupError, OSError) as error:
                logger.error("the {} process is still down: {}", self.name, type(error).__name__)


async def _end(process: Child) -> None:
    for number, patience in ((signal.SIGTERM, STOP_SECS), (signal.SIGKILL, KILL_SECS)):
        if process.returncode is not None:
            break
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), patience)
    if process.stdin is not None:
        process.stdin.close()
