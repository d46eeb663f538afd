import errno
import os
from pathlib import Path

import pytest

from server.embedded import folder
from server.embedded.errors import EmbeddedServiceError
from server.embedded.folder import Account, ServiceFolder, blocking_folder, explained, may

STRANGER = Account(54321, 54321)


@pytest.fixture
def open_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that counts as reachable, whatever pytest's own folders allow."""
    monkeypatch.setattr(folder, "blocking_folder", lambda path, account: None)
    return tmp_path


@pytest.mark.parametrize(
    ("uid", "gid", "mode", "allowed"),
    [
        (1, 1, 0o700, True),
        (1, 1, 0o077, False),
        (2, 1, 0o070, True),
        (2, 1, 0o707, False),
        (2, 2, 0o005, True),
        (2, 2, 0o774, False),
    ],
)
def test_mode_bits_decide_as_the_kernel_does(uid: int, gid: int, mode: int, allowed: bool) -> None:
    found = os.stat_result((mode, 0, 0, 0, 1, 1, 0, 0, 0, 0))
    assert may(Account(uid, gid), found, 5) is allowed


def test_the_topmost_closed_folder_is_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "open").mkdir(parents=True)
    closed.chmod(0o700)
    for path in (tmp_path, *tmp_path.parents[:-2]):
        if path.stat().st_uid == os.geteuid() and path.stat().st_mode & 1 == 0:
            closed = path
    assert blocking_folder(tmp_path / "closed" / "open", STRANGER) == closed


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.EACCES, "may not write to"),
        (errno.ENOSPC, "Free some"),
        (errno.EROFS, "read-only"),
        (errno.ENOTDIR, "should be a folder"),
        (errno.ELOOP, "symbolic link"),
        (errno.EIO, "EIO"),
    ],
)
def test_what_the_system_refuses_is_explained(tmp_path: Path, number: int, advice: str) -> None:
    with pytest.raises(EmbeddedServiceError, match=advice), explained(tmp_path):
        raise OSError(number, os.strerror(number))


def test_the_folder_of_another_user_is_refused_with_advice(open_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ServiceFolder(open_path, service="redis").make()
    monkeypatch.setattr(os, "geteuid", lambda: STRANGER.uid)
    with pytest.raises(EmbeddedServiceError, match=r"redis belongs to \S+, .* runs as user 54321.*JARVIS_DATA_DIR"):
        ServiceFolder(open_path, service="redis").make()


def test_a_file_in_the_folders_place_is_explained(open_path: Path) -> None:
    (open_path / "redis").touch()
    with pytest.raises(EmbeddedServiceError, match="should be a folder"):
        ServiceFolder(open_path, service="redis").make()


def test_a_symbolic_link_in_a_files_place_is_not_followed(open_path: Path) -> None:
    service = ServiceFolder(open_path, service="redis")
    service.make()
    (open_path / "target").touch()
    service.log.symlink_to(open_path / "target")
    with pytest.raises(EmbeddedServiceError, match="symbolic link"):
        service.open_log()


def test_a_written_file_is_private_and_reads_back(open_path: Path) -> None:
    service = ServiceFolder(open_path, service="redis")
    service.make()
    service.write("password", "abc")
    assert (service.read("password"), (service.path / "password").stat().st_mode & 0o777) == ("abc", 0o600)


def test_a_missing_file_reads_as_none(open_path: Path) -> None:
    service = ServiceFolder(open_path, service="redis")
    service.make()
    assert service.read("password") is None


def test_the_log_tail_holds_only_what_was_written_since_opening(open_path: Path) -> None:
    service = ServiceFolder(open_path, service="redis")
    service.make()
    service.log.write_text("before\n")
    fd = service.open_log()
    os.write(fd, "".join(f"line {number}\n" for number in range(20)).encode())
    os.close(fd)
    assert service.log_tail().splitlines() == [f"line {number}" for number in range(12, 20)]


def test_a_large_log_is_put_aside(open_path: Path) -> None:
    service = ServiceFolder(open_path, service="redis")
    service.make()
    service.log.write_bytes(b"x" * (folder.LOG_KEPT_BYTES + 1))
    os.close(service.open_log())
    assert (service.log.stat().st_size, (service.path / "redis.log.1").exists()) == (0, True)
