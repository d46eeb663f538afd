"""A well-known path at which one process at a time is asked, and that a successor takes over without a gap."""

import os
import secrets
import socket
from pathlib import Path


class SharedAddress:
    """The path is a link to the socket of the process that is asked there now; each has its own socket beside it.

    A process binds when it is ready to answer. The link is only ever replaced, never removed, so that no end of one
    process can take away what another has just published; where nobody is left it leads nowhere.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._own = path.with_name(f"{path.name}.{os.getpid()}")

    def bind(self) -> socket.socket:
        """Return a listening socket that only this user may open; nobody is led to it yet."""
        for left in self._all():
            if not _accepts(left):
                left.unlink(missing_ok=True)
        unheard = self._beside()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        others_mask = os.umask(0o177)
        try:
            listener.bind(str(unheard))
        finally:
            os.umask(others_mask)
        listener.listen(128)
        # Under its name it accepts from the first moment on, so nobody takes it for one that was left.
        unheard.replace(self._own)
        return listener

    def publish(self) -> None:
        """Lead everyone who asks from now on to this process; connections to another one stay as they are."""
        self._lead_to(self._own)

    @property
    def is_published(self) -> bool:
        """Whether who asks is led to this process."""
        return _target(self._path) == self._own.name

    def tend(self) -> None:
        """Publish again where whoever took the path over is gone."""
        target = _target(self._path)
        if target != self._own.name and (target is None or not _accepts(self._path.with_name(target))):
            self.publish()

    def close(self) -> None:
        """Take the socket away; who was led to it is led to another process that answers, if there is one."""
        if self.is_published:
            others = (each for each in self._all() if each != self._own and _accepts(each))
            if other := next(others, None):
                self._lead_to(other)
        self._own.unlink(missing_ok=True)

    def _lead_to(self, own: Path) -> None:
        link = self._beside()
        link.symlink_to(own.name)
        link.replace(self._path)

    def _beside(self) -> Path:
        return self._path.with_name(f"{self._path.name}-{secrets.token_hex(4)}")

    def _all(self) -> list[Path]:
        return list(self._path.parent.glob(f"{self._path.name}.*"))


def _target(path: Path) -> str | None:
    try:
        return str(path.readlink())
    except OSError:
        return None


def _accepts(own: Path) -> bool:
    """Whether a process listens on the socket, be it too busy to answer now; does not wait."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.setblocking(False)
        try:
            client.connect(str(own))
        except BlockingIOError:
            return True
        except OSError:
            return False
    return True
