"""The folder of one embedded service: who owns it, who may use it, and the small files in it."""

import errno
import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from server.embedded.errors import EmbeddedServiceError

LOG_KEPT_BYTES = 1_000_000
LOG_TAIL_BYTES = 4_000
LOG_TAIL_LINES = 8
NOBODY = 65534


@dataclass(frozen=True)
class Account:
    """A user and group that a process runs as or that a file belongs to."""

    uid: int
    gid: int

    @property
    def name(self) -> str | None:
        """The user's name; None where the system knows none, as in a container started with a number."""
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return None

    def __str__(self) -> str:
        return self.name or f"user {self.uid}"


def owner(path: Path) -> Account:
    found = path.lstat()
    return Account(found.st_uid, found.st_gid)


def ourselves() -> Account:
    return Account(os.geteuid(), os.getegid())


def nobody() -> Account:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return Account(NOBODY, NOBODY)
    return Account(entry.pw_uid, entry.pw_gid)


def may(account: Account, found: os.stat_result, wanted: int) -> bool:
    """Whether the mode bits grant the account `wanted` (4 read, 1 execute or traverse, 5 both)."""
    if found.st_uid == account.uid:
        granted = found.st_mode >> 6
    elif found.st_gid == account.gid:
        granted = found.st_mode >> 3
    else:
        granted = found.st_mode
    return granted & wanted == wanted


def blocking_folder(path: Path, account: Account) -> Path | None:
    """The topmost folder on the way to `path`, itself included, that the account may not enter."""
    resolved = path.resolve()
    on_the_way = [*reversed(resolved.parents), resolved]
    return next((folder for folder in on_the_way if not may(account, folder.stat(), 1)), None)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals below `path` into an EmbeddedServiceError."""
    try:
        yield
    except OSError as error:
        me = ourselves()
        where = error.filename or path
        match error.errno:
            case errno.EACCES | errno.EPERM:
                what = f"{me} may not write to {where}. Give {me} that folder, or set JARVIS_DATA_DIR to another one."
            case errno.ENOSPC | errno.EDQUOT:
                what = f"No space is left for {where}. Free some, or set JARVIS_DATA_DIR to a larger disk."
            case errno.EROFS:
                what = f"{where} is on a read-only file system. Set JARVIS_DATA_DIR to a folder that can be written."
            case errno.ENOTDIR | errno.EEXIST:
                what = f"{where} should be a folder and is not. Move it away, or set JARVIS_DATA_DIR to a folder."
            case errno.ELOOP:
                what = f"{where} is a symbolic link, which is not followed there. Put a plain file or folder instead."
            case number:
                what = (
                    f"{where} can't be used ({errno.errorcode.get(number or 0, number)}). Check that disk and folder."
                )
        raise EmbeddedServiceError(what) from error


class ServiceFolder:
    """`<data_dir>/<service>`, holding lock files, password, port and log, and `data`, the process's own folder.

    All files are private to the data directory's owner. Root runs the process as another account, which owns `data`.
    """

    def __init__(self, data_dir: Path, *, service: str) -> None:
        self._data_dir = data_dir.absolute()
        self.path = self._data_dir / service
        self.data = self.path / "data"
        self.unfinished = self.path / "data.unfinished"
        self.log = self.path / f"{service}.log"
        self._service = service
        self._log_start = 0

    def make(self) -> None:
        """Create what is missing and check that we and the process's account may use it."""
        with explained(self.path):
            root = os.geteuid() == 0
            missing = [path for path in (self._data_dir, *self._data_dir.parents) if not path.exists()]
            for path in reversed(missing):
                path.mkdir()
                path.chmod(0o755 if root else 0o700)
            if not self.path.is_dir():
                self.path.mkdir()
                self.path.chmod(0o711 if root else 0o700)
                if root:
                    self._give(self.path, owner(self._data_dir))
            self._check_owner(self.path)
            if self.data.exists():
                self._check_owner(self.data)
            if account := self.account:
                self._check_passage(account)
            for name in ("users.lock", "starting.lock", "running.lock"):
                self._create(name)

    @property
    def account(self) -> Account | None:
        """Whom to run the process as; None means as ourselves, since only root can choose."""
        if os.geteuid() != 0:
            return None
        owners = [owner(path) for path in (self.data, self.path) if path.exists()]
        return next((found for found in owners if found.uid != 0), nobody())

    @property
    def runs_as(self) -> Account:
        return self.account or ourselves()

    def make_private(self, path: Path) -> None:
        """Create a folder below this one that the process's account owns and nobody else may enter."""
        with explained(path):
            account = self.account
            path.mkdir(mode=0o700, exist_ok=True)
            if account:
                self._give(path, account)

    def lock(self, name: str) -> Path:
        return self.path / f"{name}.lock"

    def read(self, name: str) -> str | None:
        """The content of a small file; None where it is missing or empty."""
        with explained(self.path / name):
            try:
                return (self.path / name).read_text(encoding="ascii").strip() or None
            except (FileNotFoundError, UnicodeDecodeError):
                return None

    def write(self, name: str, text: str) -> None:
        """Replace a small file at once, readable by the owner alone."""
        if self.read(name) == text:
            return
        with explained(self.path / name):
            (self.path / f"{name}.new").unlink(missing_ok=True)
            fd = self._create(f"{name}.new", os.O_WRONLY | os.O_EXCL, keep_open=True)
            with os.fdopen(fd, "w", encoding="ascii") as file:
                file.write(text + "\n")
                file.flush()
                os.fsync(file.fileno())
            (self.path / f"{name}.new").replace(self.path / name)

    def remove(self, name: str) -> None:
        with explained(self.path / name):
            (self.path / name).unlink(missing_ok=True)

    def open_log(self) -> int:
        """A descriptor for appending to the log, which is put aside once it has grown large."""
        with explained(self.log):
            if self.log.exists() and self.log.stat().st_size > LOG_KEPT_BYTES:
                self.log.replace(self.log.with_suffix(".log.1"))
            fd = self._create(self.log.name, os.O_WRONLY | os.O_APPEND, keep_open=True)
            self._log_start = os.fstat(fd).st_size
            return fd

    def log_tail(self) -> str:
        """The last lines the process wrote since the log was last opened."""
        with explained(self.log), self.log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(self._log_start, size - LOG_TAIL_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()
        return "\n".join(lines[-LOG_TAIL_LINES:])

    def _create(self, name: str, flags: int = os.O_RDWR, *, keep_open: bool = False) -> int:
        fd = os.open(self.path / name, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        if os.geteuid() == 0:
            belongs_to = owner(self.path)
            os.fchown(fd, belongs_to.uid, belongs_to.gid)
        if not keep_open:
            os.close(fd)
        return fd

    def _give(self, path: Path, account: Account) -> None:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)

    def _check_owner(self, path: Path) -> None:
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, "not a folder", str(path))
        me = os.geteuid()
        belongs_to = owner(path)
        if me == 0 and path == self.data and belongs_to.uid == 0 and (account := self.account):
            raise EmbeddedServiceError(
                f"{path} belongs to root, but {self._service} does not run as root. "
                f"Give it away: chown -R {account.uid}:{account.gid} {path}"
            )
        if me not in (0, belongs_to.uid):
            raise EmbeddedServiceError(
                f"{path} belongs to {belongs_to}, and this program runs as {ourselves()}. "
                f"Run it as the user who made that folder, or set JARVIS_DATA_DIR to a folder of your own."
            )

    def _check_passage(self, account: Account) -> None:
        if blocked := blocking_folder(self.path, account):
            raise EmbeddedServiceError(
                f"Root runs {self._service} as {account}, who may not enter {blocked}. Set JARVIS_DATA_DIR to a "
                f"folder that {account} can reach, such as /var/lib/jarvis, or run: chmod o+x {blocked}"
            )
