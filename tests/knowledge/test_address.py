"""One path, several processes: who is asked there."""

import os
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
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
    with new.bind() as new_listener, old.bind() as old_listener:
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


def test_nobody_is_led_to_a_process_that_has_ended(path: Path):
    address = SharedAddress(path)
    with address.bind():
        address.publish()
        address.close()
        assert not path.exists()
    assert list(path.parent.iterdir()) == [path]


def test_who_was_led_to_a_process_that_ends_is_led_to_another_at_once(path: Path, dead_pid: int):
    dead, older, mine = of(dead_pid, path), of(os.getppid(), path), SharedAddress(path)
    with older.bind() as listener, mine.bind():
        dead.bind().close()
        mine.publish()
        mine.close()
        with reached(path), listener.accept()[0]:
            assert older.is_published


def test_the_end_of_a_process_takes_nothing_from_one_that_publishes_meanwhile(
    path: Path, monkeypatch: pytest.MonkeyPatch
):
    mine, theirs = SharedAddress(path), of(os.getppid(), path)

    def overtaken(address: SharedAddress) -> list[Path]:
        theirs.publish()
        return []

    with mine.bind(), theirs.bind() as listener:
        mine.publish()
        monkeypatch.setattr(SharedAddress, "_all", overtaken)
        mine.close()
        with reached(path), listener.accept()[0]:
            assert theirs.is_published


def test_a_process_does_not_take_the_path_back_from_one_that_lives(path: Path):
    mine, theirs = SharedAddress(path), of(os.getppid(), path)
    with mine.bind(), theirs.bind():
        theirs.publish()
        mine.tend()
        assert theirs.is_published


def left_nothing(path: Path) -> None:
    """Nobody was ever led anywhere."""


def left_a_link(path: Path) -> None:
    """A process ended, and took its socket along."""
    path.symlink_to(f"{path.name}.1")


def left_a_socket(path: Path) -> None:
    """A process was killed, and another one has its id by now."""
    dead = of(os.getppid(), path)
    dead.bind().close()
    dead.publish()


@pytest.mark.parametrize("left", [left_nothing, left_a_link, left_a_socket])
def test_a_process_takes_the_path_back_where_nobody_is_led_to_a_living_one(path: Path, left: Callable[[Path], None]):
    mine = SharedAddress(path)
    with mine.bind():
        left(path)
        mine.tend()
        assert mine.is_published


def test_a_process_too_busy_to_take_another_connection_keeps_the_path(path: Path):
    mine, theirs = SharedAddress(path), of(os.getppid(), path)
    with mine.bind(), theirs.bind() as listener, ExitStack() as callers:
        listener.listen(0)
        theirs.publish()
        callers.enter_context(reached(path))
        mine.tend()
        mine.tend()
        assert theirs.is_published


def test_sockets_that_dead_processes_left_are_cleared_away(path: Path, dead_pid: int):
    left = of(dead_pid, path)
    left.bind().close()
    with SharedAddress(path).bind():
        assert not left._own.exists()
