"""Locks between processes that the kernel drops when their holder dies."""

import asyncio
import fcntl
import os
from pathlib import Path

from server.embedded.errors import EmbeddedServiceError
from server.embedded.folder import explained

POLL_SECS = 0.01


class Flock:
    """One flock on an existing file. Two instances exclude each other even within one process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    @property
    def held(self) -> bool:
        return self._fd is not None

    @property
    def fd(self) -> int:
        """The held lock's descriptor: a child that inherits it keeps the lock for as long as it lives."""
        if self._fd is None:
            raise ValueError("the lock is not held")
        return self._fd

    def try_shared(self) -> bool:
        """Take the lock beside other sharers, or turn an exclusive one into a shared one."""
        return self._try(fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        """Take the lock alone, or turn a shared one into that. A shared lock may be lost when this fails."""
        return self._try(fcntl.LOCK_EX)

    async def exclusive(self, *, timeout_secs: float, waiting_for: str) -> None:
        """Take the lock alone, waiting for its holders; raises EmbeddedServiceError when they keep it too long."""
        deadline = asyncio.get_running_loop().time() + timeout_secs
        while not self.try_exclusive():
            if asyncio.get_running_loop().time() > deadline:
                self.release()
                raise EmbeddedServiceError(
                    f"Another program has been starting or stopping {waiting_for} for more than {timeout_secs:.0f} s "
                    f"(it holds {self._path}). End that program, then try again."
                )
            await asyncio.sleep(POLL_SECS)

    def release(self) -> None:
        """Give the lock up for everyone who shares this descriptor."""
        if self._fd is not None:
            fcntl.flock(self._fd, fcntl.LOCK_UN)
            self.close()

    def close(self) -> None:
        """Let go of the descriptor; a child that inherited it still holds the lock."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _try(self, kind: int) -> bool:
        if self._fd is None:
            with explained(self._path):
                self._fd = os.open(self._path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.flock(self._fd, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def is_locked(path: Path) -> bool:
    """Whether anybody holds the lock on this file."""
    probe = Flock(path)
    free = probe.try_exclusive()
    probe.close()
    return not free
