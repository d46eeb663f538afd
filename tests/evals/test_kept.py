"""What one server kept, for others to start from."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from evals.kept import Kept, copy, fill
from evals.program import Jarvis, ProgramError


class Writing:
    """Writes down that it ran, and may not start."""

    starts = 0

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    def start(self) -> None:
        type(self).starts += 1
        (self._data_dir / "indexed").write_text(str(self.starts))

    def stop(self) -> None:
        (self._data_dir / "stopped").touch()


class Broken(Writing):
    def start(self) -> None:
        raise ProgramError("the port is taken")


@pytest.fixture
def kept() -> Any:
    Writing.starts = 0
    made = Kept(make=cast(type[Jarvis], Writing))
    yield made
    made.close()


async def test_it_is_made_once_for_all_that_begin_with_it(kept: Kept, tmp_path: Path):
    await asyncio.gather(kept.copy(tmp_path / "a"), kept.copy(tmp_path / "b"))
    assert [(tmp_path / each / "indexed").read_text() for each in "ab"] == ["1", "1"]


async def test_its_server_has_ended_before_it_is_copied(kept: Kept, tmp_path: Path):
    await kept.copy(tmp_path / "a")
    assert (tmp_path / "a" / "stopped").exists()


async def test_what_is_in_a_named_folder_is_used_again(tmp_path: Path):
    Writing.starts = 0
    for place in "ab":
        kept = Kept(tmp_path / "kept", make=cast(type[Jarvis], Writing))
        await kept.copy(tmp_path / place)
        kept.close()
    assert (tmp_path / "b" / "indexed").read_text() == "1"
    assert Writing.starts == 1


async def test_what_nobody_named_a_folder_for_is_thrown_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    kept = Kept(make=cast(type[Jarvis], Writing))
    await kept.copy(tmp_path / "a")
    kept.close()
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


async def test_one_whose_server_does_not_start_is_told_to_each_that_asks(tmp_path: Path):
    kept = Kept(make=cast(type[Jarvis], Broken))
    for place in "ab":
        with pytest.raises(ProgramError, match="the port is taken"):
            await kept.copy(tmp_path / place)
    kept.close()


def test_no_port_is_taken_over(tmp_path: Path):
    (tmp_path / "kept" / "postgres").mkdir(parents=True)
    for name in ("port", "password"):
        (tmp_path / "kept" / "postgres" / name).touch()
    copy(tmp_path / "kept", tmp_path / "a")
    assert [each.name for each in (tmp_path / "a" / "postgres").iterdir()] == ["password"]


def test_a_place_that_cant_be_written_is_told(tmp_path: Path):
    with pytest.raises(ProgramError, match=r"can't be written\. Make room in"):
        copy(tmp_path, tmp_path / "there" / "is" / "no" / "such")


def test_a_folder_that_cant_be_made_is_told(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(ProgramError, match=r"can't be written .+\. Name another folder"):
        fill(tmp_path / "file" / "kept", make=cast(type[Jarvis], Writing))


def test_a_folder_is_made_with_those_above_it(tmp_path: Path):
    kept = fill(tmp_path / "a" / "b", make=cast(type[Jarvis], Writing))
    assert kept == tmp_path / "a" / "b" / "data"


@pytest.mark.integration
def test_a_real_server_leaves_what_others_begin_with(request: pytest.FixtureRequest):
    kept = fill(Path(request.config.option.prepared))
    assert {"postgres", "models", "lexical", "speech"} <= {each.name for each in kept.iterdir()}
    assert "the sample handbook is indexed" in (kept / "server.log").read_text()
