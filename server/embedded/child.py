"""Start a process that outlives us if need be, find it again, and end it."""

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from loguru import logger

from server.embedded.flock import POLL_SECS
from server.embedded.folder import Account


@dataclass(frozen=True)
class Command:
    """A program with its arguments, and what it reads on stdin, which no list of processes shows."""

    argv: list[str]
    stdin: str = ""


@dataclass(frozen=True)
class Stage:
    """One way of asking a process to end, and how long it gets."""

    signal: signal.Signals
    patience_secs: float


def spawn(
    command: Command, *, cwd: Path, account: Account | None, log_fd: int, lock_fd: int
) -> subprocess.Popen[bytes]:
    """Start the command in a session of its own, so that Ctrl-C does not reach it; it inherits and keeps the lock.

    Its stdin is a file in memory, which every account may reopen. `log_fd` is closed.
    """
    stdin_fd = os.memfd_create("stdin")
    try:
        os.write(stdin_fd, command.stdin.encode())
        os.lseek(stdin_fd, 0, os.SEEK_SET)
        return subprocess.Popen(  # noqa: S603
            command.argv,
            cwd=cwd,
            env={"LC_ALL": "C", "PATH": os.defpath},
            stdin=stdin_fd,
            stdout=log_fd,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(lock_fd,),
            user=account and account.uid,
            group=account and account.gid,
            extra_groups=account and [],
            umask=0o077,
        )
    finally:
        os.close(stdin_fd)
        os.close(log_fd)


def found(*, folders: tuple[Path, ...], names: frozenset[str]) -> list[int]:
    """The pids of running programs of these names that work in one of these folders, without their own children."""
    wanted = {(here.st_dev, here.st_ino) for here in (folder.stat() for folder in folders if folder.exists())}
    parents: dict[int, int] = {}
    for pid in psutil.pids():
        with suppress(OSError, psutil.Error):
            here = Path(f"/proc/{pid}/cwd").stat()
            if (here.st_dev, here.st_ino) in wanted:
                process = psutil.Process(pid)
                if process.name() in names:
                    parents[pid] = process.ppid()
    return [pid for pid, parent in parents.items() if parent not in parents]


def works_in(pid: str, folder: Path) -> bool:
    """Whether a process of this id runs in this folder."""
    with suppress(OSError):
        return pid.isdecimal() and Path(f"/proc/{pid}/cwd").samefile(folder)
    return False


async def end(*, name: str, pids: Callable[[], list[int]], gone: Callable[[], bool], stages: tuple[Stage, ...]) -> bool:
    """Signal the processes stage by stage until `gone`; whether that was reached."""
    for number, stage in enumerate(stages):
        if number:
            logger.warning("{} did not stop in time; sending {}", name, stage.signal.name)
        for pid in pids():
            with suppress(ProcessLookupError):
                os.kill(pid, stage.signal)
        if await becomes(gone, within_secs=stage.patience_secs):
            return True
    return False


async def becomes(condition: Callable[[], bool], *, within_secs: float) -> bool:
    """Wait for the condition; whether it came true in time."""
    deadline = asyncio.get_running_loop().time() + within_secs
    while not condition():
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(POLL_SECS)
    return True


def free_port(preferred: int | None) -> int:
    """A loopback TCP port that nobody listens on: the preferred one if possible."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", preferred or 0))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
