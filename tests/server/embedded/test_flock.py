from pathlib import Path

import pytest

from server.embedded.errors import EmbeddedServiceError
from server.embedded.flock import Flock, is_locked


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "x.lock"
    file.touch()
    return file


def test_sharers_do_not_exclude_each_other(path: Path) -> None:
    assert Flock(path).try_shared()
    assert Flock(path).try_shared()


def test_a_sharer_becomes_exclusive_once_the_others_have_left(path: Path) -> None:
    one, other = Flock(path), Flock(path)
    one.try_shared()
    other.try_shared()
    assert not one.try_exclusive()
    other.release()
    assert one.try_exclusive()


def test_a_released_lock_is_free(path: Path) -> None:
    lock = Flock(path)
    lock.try_exclusive()
    assert is_locked(path)
    lock.release()
    assert not is_locked(path)


async def test_waiting_too_long_names_the_lock(path: Path) -> None:
    holder = Flock(path)
    holder.try_exclusive()
    with pytest.raises(EmbeddedServiceError, match=r"starting or stopping redis .*x\.lock"):
        await Flock(path).exclusive(timeout_secs=0, waiting_for="redis")


def test_the_descriptor_of_a_lock_that_is_not_held_is_refused(path: Path) -> None:
    with pytest.raises(ValueError, match="not held"):
        _ = Flock(path).fd
