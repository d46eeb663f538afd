"""Processes that are forked from the bots' parent, so that they share what it has loaded; supervised like any other."""

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping
from multiprocessing.process import BaseProcess
from typing import Any

from server.errors import SetupError
from server.ingress.launcher import LauncherError
from server.processes import Child, SupervisedProcess

Fork = Callable[..., Awaitable[BaseProcess]]


class ForkedProcess(SupervisedProcess):
    """A function that is forked as a child and forked again when it dies; its parent must have been started.

    It gets a socket that is to it what stdin and stdout are to a module, and lives by the same rules.
    """

    def __init__(self, name: str, *, fork: Fork, target: Callable[[socket.socket], None], settings: Mapping[str, Any]):
        super().__init__(name, module=target.__module__, settings=settings, environment={})
        self._fork = fork
        self._target = target

    async def _spawn(self) -> Child:
        ours, theirs = socket.socketpair()
        try:
            process = await self._fork(self._target, theirs, name=f"jarvis-{self.name}")
        except LauncherError as error:
            ours.close()
            raise SetupError(f"The {self.name} process can't be started: {error}") from error
        finally:
            theirs.close()
        return await _ForkedChild.opened(process, ours)


class _ForkedChild:
    """A forked process as asyncio would show it."""

    def __init__(self, process: BaseProcess, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        assert process.pid is not None
        self.pid = process.pid
        self.stdin: asyncio.StreamWriter | None = writer
        self.stdout: asyncio.StreamReader | None = reader
        self._process = process
        self._ended = asyncio.Event()
        try:
            self._pidfd: int | None = os.pidfd_open(self.pid)
        except ProcessLookupError:
            self._pidfd = None
        asyncio.get_running_loop().add_reader(process.sentinel, self._note_end)

    @classmethod
    async def opened(cls, process: BaseProcess, channel: socket.socket) -> "_ForkedChild":
        channel.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=channel)
        return cls(process, reader, writer)

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode if self._ended.is_set() else None

    async def wait(self) -> int:
        await self._ended.wait()
        return self._process.exitcode or 0

    def send_signal(self, signal: int) -> None:
        if self._pidfd is None:
            raise ProcessLookupError
        _send(self._pidfd, signal)

    def _note_end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._process.sentinel)
        self._process.join()
        self._ended.set()
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None


def _send(pidfd: int, number: int) -> None:
    signal.pidfd_send_signal(pidfd, number)
