import os
from pathlib import Path

import pytest

from knowledge.discovery import find


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("text")


def test_folders_are_searched_to_the_bottom(tmp_path: Path) -> None:
    write(tmp_path, "b.txt", "a/deep/c.md")
    assert find([tmp_path]).files == (tmp_path / "b.txt", tmp_path / "a/deep/c.md")


def test_hidden_files_and_pictures_in_a_folder_are_no_documents(tmp_path: Path) -> None:
    write(tmp_path, ".hidden.md", ".git/config", "logo.png", "song.mp3", "a.md", "b.pdf")
    assert find([tmp_path]).files == (tmp_path / "a.md", tmp_path / "b.pdf")


def test_a_file_named_twice_is_found_once(tmp_path: Path) -> None:
    write(tmp_path, "a.md")
    assert find([tmp_path, tmp_path / "a.md", tmp_path / "x" / ".." / "a.md"]).files == (tmp_path / "a.md",)


def test_a_relative_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "a.md")
    monkeypatch.chdir(tmp_path)
    assert find([Path("a.md")]).files == (tmp_path / "a.md",)


def test_a_path_that_is_not_there_is_missing(tmp_path: Path) -> None:
    assert find([tmp_path / "gone"]).missing == (tmp_path / "gone",)


def test_only_what_was_below_the_given_paths_has_vanished(tmp_path: Path) -> None:
    write(tmp_path, "docs/a.md")
    sources = [str(tmp_path / name) for name in ("docs/a.md", "docs/old.md", "docs2/b.md")]
    assert find([tmp_path / "docs"]).vanished(sources) == [str(tmp_path / "docs/old.md")]


def test_everything_below_a_missing_folder_has_vanished(tmp_path: Path) -> None:
    source = str(tmp_path / "docs/a.md")
    assert find([tmp_path / "docs"]).vanished([source]) == [source]


def test_nothing_has_vanished_below_a_folder_that_cannot_be_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "open/a.md", "closed/b.md")
    scandir = os.scandir

    def refuse(path: str) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = find([tmp_path])
    assert [error.path for error in found.unreadable] == [tmp_path / "closed"]
    assert found.vanished([str(tmp_path / "closed/b.md")]) == []
