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
    assert [error.source for error in found.unreadable] == [str(tmp_path / "closed")]
    assert found.vanished([str(tmp_path / "closed/b.md")]) == []


def test_a_folder_that_vanishes_in_the_middle_takes_nothing_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "a.md", "going/b.md")
    scandir = os.scandir

    def vanish(path: str) -> object:
        if Path(path).name == "going":
            (tmp_path / "going/b.md").unlink()
            (tmp_path / "going").rmdir()
        return scandir(path)

    monkeypatch.setattr(os, "scandir", vanish)
    found = find([tmp_path])
    assert found.files == (tmp_path / "a.md",)
    assert found.vanished([str(tmp_path / "going/b.md")]) == []


@pytest.mark.parametrize("target", ["secret.md", "folder"])
def test_a_link_out_of_the_folder_is_reported_and_not_followed(tmp_path: Path, target: str) -> None:
    write(tmp_path, "secret.md", "folder/a.md", "docs/b.md")
    (tmp_path / "docs/link.md").symlink_to(tmp_path / target)
    found = find([tmp_path / "docs"])
    assert found.files == (tmp_path / "docs/b.md",)
    assert [(error.source, error.reason) for error in found.unreadable] == [
        (str(tmp_path / "docs/link.md"), "this link leads out of the folder; index what it leads to.")
    ]


def test_a_link_that_was_a_document_before_keeps_it(tmp_path: Path) -> None:
    write(tmp_path, "secret.md", "docs/b.md")
    (tmp_path / "docs/a.md").symlink_to(tmp_path / "secret.md")
    assert find([tmp_path / "docs"]).vanished([str(tmp_path / "docs/a.md")]) == []


def test_a_link_within_the_folder_is_a_document(tmp_path: Path) -> None:
    write(tmp_path, "a.md")
    (tmp_path / "b.md").symlink_to(tmp_path / "a.md")
    assert find([tmp_path]).files == (tmp_path / "a.md", tmp_path / "b.md")


def test_a_folder_that_is_itself_a_link_is_followed(tmp_path: Path) -> None:
    write(tmp_path, "real/a.md")
    (tmp_path / "docs").symlink_to(tmp_path / "real")
    assert find([tmp_path / "docs"]).files == (tmp_path / "docs/a.md",)


def test_a_link_that_leads_round_in_circles_stops_nothing(tmp_path: Path) -> None:
    write(tmp_path, "a.md")
    (tmp_path / "loop.md").symlink_to(tmp_path / "loop.md")
    (tmp_path / "self").symlink_to(tmp_path)
    assert tmp_path / "a.md" in find([tmp_path]).files


def test_a_name_that_is_no_text_is_reported_in_a_form_that_can_be_written(tmp_path: Path) -> None:
    write(tmp_path, "a.md")
    Path(os.fsdecode(bytes(tmp_path) + b"/gr\xfcn.md")).write_text("text")
    found = find([tmp_path])
    assert found.files == (tmp_path / "a.md",)
    assert [(error.source.encode(), error.reason) for error in found.unreadable] == [
        (f"{tmp_path}/gr\N{REPLACEMENT CHARACTER}n.md".encode(), "its name is not valid UTF-8; rename it.")
    ]


def test_a_pipe_is_listed_and_left_to_the_reader_to_refuse(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    assert find([tmp_path]).files == (tmp_path / "pipe.md",)


def test_a_folder_below_another_is_searched_once(tmp_path: Path) -> None:
    write(tmp_path, "docs/a.md")
    assert find([tmp_path, tmp_path / "docs"]).files == (tmp_path / "docs/a.md",)


def test_an_empty_folder_holds_nothing(tmp_path: Path) -> None:
    found = find([tmp_path])
    assert (found.files, found.missing, found.unreadable) == ((), (), ())
