import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.embedded.child import Command, Stage, end, found, free_port, spawn
from server.embedded.flock import Flock, is_locked

STUBBORN = (
    "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); signal.pause()"
)


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[Flock]:
    (tmp_path / "x.lock").touch()
    lock = Flock(tmp_path / "x.lock")
    lock.try_exclusive()
    yield lock
    lock.close()


def log(tmp_path: Path) -> int:
    return os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)


@pytest.mark.integration
def test_a_child_reads_what_it_is_given_and_may_open_it_again(tmp_path: Path, lock: Flock) -> None:
    script = "import sys; print(sys.stdin.read() + open('/dev/stdin').read())"
    command = Command([sys.executable, "-c", script], stdin="secret")
    spawn(command, cwd=tmp_path, account=None, log_fd=log(tmp_path), lock_fd=lock.fd).wait(timeout=10)
    assert (tmp_path / "log").read_text() == "secretsecret\n"


@pytest.mark.integration
async def test_a_child_holds_the_lock_until_it_is_ended_by_force(tmp_path: Path, lock: Flock) -> None:
    command = Command([sys.executable, "-c", STUBBORN])
    child = spawn(command, cwd=tmp_path, account=None, log_fd=log(tmp_path), lock_fd=lock.fd)
    lock.close()
    while not (tmp_path / "log").read_text():
        assert child.poll() is None
    assert is_locked(tmp_path / "x.lock")
    stages = (Stage(signal.SIGTERM, 0.05), Stage(signal.SIGKILL, 5))
    assert await end(name="it", pids=lambda: [child.pid], gone=lambda: child.poll() is not None, stages=stages)
    assert not is_locked(tmp_path / "x.lock")


def test_only_programs_of_the_given_names_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = Path(f"/proc/{os.getpid()}/comm").read_text().strip()
    assert found(folders=(tmp_path,), names=frozenset({name})) == [os.getpid()]
    assert found(folders=(tmp_path,), names=frozenset({"postgres"})) == []


def test_the_preferred_port_is_taken_when_it_is_free() -> None:
    port = free_port(None)
    assert free_port(port) == port


def test_another_port_is_taken_when_the_preferred_one_is_in_use() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert free_port(port) != port
