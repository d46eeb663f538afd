"""A well-known path at which one process at a time is asked, and that a successor takes over without a gap."""

import os
import secrets
import socket
from pathlib import Path


class SharedAddress:
    """The path is a link to the socket of the process that is asked there now; each has its own socket beside it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._own = path.with_name(f"{path.name}.{os.getpid()}")

    def bind(self) -> socket.socket:
        """Return a listening socket that only this user may open; nobody is led to it yet."""
        for left in self._path.parent.glob(f"{self._path.name}.*"):
            if not _lives(left):
                left.unlink(missing_ok=True)
        self._own.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        others_mask = os.umask(0o177)
        try:
            listener.bind(str(self._own))
        finally:
            os.umask(others_mask)
        listener.listen(128)
        return listener

    def publish(self) -> None:
        """Lead everyone who asks from now on to this process; connections to another one stay as they are."""
        link = self._path.with_name(f"{self._path.name}-{secrets.token_hex(4)}")
        link.symlink_to(self._own.name)
        link.replace(self._path)

    @property
    def is_published(self) -> bool:
        """Whether who asks is led to this process."""
        return _target(self._path) == self._own.name

    def tend(self) -> None:
        """Publish again where whoever took the path over is gone."""
        target = _target(self._path)
        if target is None or not _lives(self._path.with_name(target)):
            self.publish()

    def close(self) -> None:
        """Take the socket away, and the path where it still leads to it."""
        if self.is_published:
            self._path.unlink(missing_ok=True)
        self._own.unlink(missing_ok=True)


def _target(path: Path) -> str | None:
    try:
        return str(path.readlink())
    except OSError:
        return None


def _lives(own: Path) -> bool:
    """Whether the process that a socket is named after runs."""
    pid = own.suffix.removeprefix(".")
    return own.exists() and pid.isdecimal() and Path(f"/proc/{pid}").exists()
