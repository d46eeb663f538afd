import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from server.embedded.child import found

PROGRAMS = frozenset({"postgres", "initdb", "redis-server", "valkey-server"})


def running(data_dir: Path) -> list[int]:
    """The pids of the services that run in a data directory."""
    return found(folders=(data_dir / "postgres" / "data", data_dir / "redis" / "data"), names=PROGRAMS)


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    """One for a whole file, since making a cluster is slow; below /tmp, since tmp_path is closed to other users."""
    path = Path(tempfile.mkdtemp(prefix="jarvis-embedded-"))
    path.chmod(0o755)
    yield path
    for pid in running(path):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def processes(data_dir: Path) -> Callable[[], list[int]]:
    """The pids of the services that run in the data directory."""
    return lambda: running(data_dir)
