"""One path, several processes: who is asked there."""

import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge.address import SharedAddress


@pytest.fixture
def path() -> Iterator[Path]:
    """A path that is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="jarvis-address-") as folder:
        yield Path(folder) / "speech.sock"


@pytest.fixture
def dead_pid() -> int:
    """The id of a process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def of(pid: int, path: Path) -> SharedAddress:
    """The address as that process sees it."""
    address = SharedAddress(path)
    address._own = path.with_name(f"{path.name}.{pid}")
    return address


def reached(path: Path) -> socket.socket:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(1)
    client.connect(str(path))
    return client


def test_nobody_is_led_to_a_process_that_is_not_ready(path: Path):
    with SharedAddress(path).bind():
        assert not path.exists()


def test_who_asks_is_led_to_the_process_that_is_ready(path: Path):
    address = SharedAddress(path)
    with address.bind() as listener:
        address.publish()
        with reached(path), listener.accept()[0]:
            assert address.is_published


def test_its_socket_is_its_owners_only(path: Path):
    with SharedAddress(path).bind():
        assert SharedAddress(path)._own.stat().st_mode & 0o777 == 0o600


def test_a_successor_takes_over_and_connections_to_the_old_one_stay(path: Path):
    old, new = of(os.getppid(), path), SharedAddress(path)
    with old.bind() as old_listener, new.bind() as new_listener:
        old.publish()
        with reached(path) as kept, old_listener.accept()[0] as served:
            new.publish()
            with reached(path), new_listener.accept()[0]:
                served.sendall(b"still here")
                assert kept.recv(10) == b"still here"
            assert (old.is_published, new.is_published) == (False, True)


def test_an_old_process_that_ends_takes_nothing_from_its_successor(path: Path):
    old, new = of(os.getppid(), path), SharedAddress(path)
    with old.bind(), new.bind() as listener:
        old.publish()
        new.publish()
        old.close()
        with reached(path), listener.accept()[0]:
            assert not old._own.exists()


def test_a_process_that_ends_takes_its_path_along(path: Path):
    address = SharedAddress(path)
    with address.bind():
        address.publish()
        address.close()
    assert list(path.parent.iterdir()) == []


def test_a_process_does_not_take_the_path_back_from_one_that_lives(path: Path):
    mine, theirs = SharedAddress(path), of(os.getppid(), path)
    with mine.bind(), theirs.bind():
        theirs.publish()
        mine.tend()
        assert theirs.is_published


@pytest.mark.parametrize("left", ["nothing", "a link"])
def test_a_process_takes_the_path_back_where_nobody_is_led_to_a_living_one(path: Path, dead_pid: int, left: str):
    mine = SharedAddress(path)
    with mine.bind():
        if left == "a link":
            path.symlink_to(f"{path.name}.{dead_pid}")
        mine.tend()
        assert mine.is_published


def test_sockets_that_dead_processes_left_are_cleared_away(path: Path, dead_pid: int):
    left = of(dead_pid, path)
    left.bind().close()
    with SharedAddress(path).bind():
        assert not left._own.exists()
