"""A data directory that one server made, for others to start from: they begin in a third of the time."""

import asyncio
import fcntl
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from evals.program import Jarvis, ProgramError


def copy(kept: Path, place: Path) -> None:
    """Makes `place` of what a server that has ended kept; raises `ProgramError` where there is no room. Blocks."""
    # As they are: Postgres' files belong to a user of their own, where Jarvis runs as root.
    copied = subprocess.run(["cp", "--archive", str(kept), str(place)], capture_output=True)  # noqa: S603, S607
    if copied.returncode != 0:
        raise ProgramError(f"{place} can't be written. Make room in {tempfile.gettempdir()}, or set TMPDIR.")
    # Or two that start at the same moment take the same port, and one of them works on the other's database.
    for port in place.glob("*/port"):
        port.unlink()


def fill(folder: Path, *, make: Callable[[Path], Jarvis] = Jarvis) -> Path:
    """What is kept in `folder`; made if nothing is, by one process while others wait. Blocks.

    The database is there, the sample handbook indexed, its words are learned. Raises `ProgramError` where no server
    starts, or the folder can't be written.
    """
    folder = folder.absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Postgres' user may enter it.
        folder.chmod(0o755)
    except OSError as error:
        raise ProgramError(f"{folder} can't be written ({error.strerror}). Name another folder.") from error
    kept = folder / "data"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if kept.exists():
            return kept
        place = folder / "making"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(mode=0o755)
        jarvis = make(place)
        try:
            jarvis.start()
        finally:
            jarvis.stop()
        place.rename(kept)
    return kept


class Kept:
    """Made when it is first asked for, and thrown away at the end unless its folder is named."""

    def __init__(self, folder: Path | None = None, *, make: Callable[[Path], Jarvis] = Jarvis) -> None:
        self._is_thrown_away = folder is None
        self._folder = folder or Path(tempfile.mkdtemp(prefix="jarvis-kept-"))
        self._make = make
        self._making = asyncio.Lock()

    async def copy(self, place: Path) -> None:
        """Makes `place` of it; raises `ProgramError` where no server starts, or there is no room."""
        async with self._making:
            kept = await asyncio.to_thread(fill, self._folder, make=self._make)
        await asyncio.to_thread(copy, kept, place)

    def close(self) -> None:
        """Throws it away where nobody wants it again. Blocks."""
        if self._is_thrown_away:
            shutil.rmtree(self._folder, ignore_errors=True)
