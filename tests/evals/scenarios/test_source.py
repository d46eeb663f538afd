"""The lines of a scenario file."""

from pathlib import Path

import pytest

from evals.scenarios.errors import Place
from evals.scenarios.source import read_source


def given(folder: Path, text: str | bytes) -> Path:
    file = folder / "tried.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def test_each_key_and_item_has_its_line(tmp_path: Path):
    file = given(tmp_path, "name: tried\nturns:\n  - user: hello\n    expect:\n      - {event: response}\n")
    source = read_source(file)
    assert source.place("turns", 0, "expect", 0, "event") == Place(file, 5)


def test_what_is_not_written_has_the_line_of_what_it_would_stand_in(tmp_path: Path):
    file = given(tmp_path, "name: tried\nturns:\n  - user: hello\n")
    assert read_source(file).place("turns", 0, "expect", 3) == Place(file, 3)


def test_what_is_included_has_its_line_in_its_own_file(tmp_path: Path):
    (tmp_path / "judge.yaml").write_text("# shared\nmodality: text\n")
    file = given(tmp_path, "name: tried\njudge: !include judge.yaml\n")
    source = read_source(file)
    assert source.place("judge", "modality") == Place(tmp_path / "judge.yaml", 2)
    assert source.data["judge"] == {"modality": "text"}


def test_what_is_merged_has_the_line_where_it_is_written(tmp_path: Path):
    file = given(tmp_path, "one: &one\n  user: hello\n  audio: a.wav\ntwo:\n  <<: *one\n  user: bye\n")
    source = read_source(file)
    assert (source.place("two", "audio"), source.place("two", "user")) == (Place(file, 3), Place(file, 6))


def test_a_key_that_stands_twice_is_told_by_both_lines(tmp_path: Path):
    file = given(tmp_path, "name: tried\nuser: hello\nuser: bye\n")
    (complaint,) = read_source(file).complaints
    assert str(complaint) == f"{file}:3: 'user' stands twice here, first in line 2; only the last one counts"


def test_a_keypads_digits_stay_as_they_are(tmp_path: Path):
    assert read_source(given(tmp_path, "dtmf: 012\n")).data == {"dtmf": "012"}


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("name: tried\nturns: [\n", 3, "this is no YAML"),
        ("name: tried\nturns: !!python/object:os.system x\n", 2, "this is no YAML"),
        ("a: 1\nb: *nobody\n", 2, "this is no YAML"),
        (b"name: tried\n# caf\xe9\n", 2, "this is no UTF-8"),
        ("judge: !include nowhere.yaml\n", 1, "nowhere.yaml, which is missing"),
        ("a: " + "[" * 200 + "]" * 200, 1, "it is nested too deep"),
    ],
    ids=["cut off", "an object", "an alias of nothing", "latin-1", "a missing part", "a tower"],
)
def test_what_cant_be_read_is_a_complaint_with_its_line(tmp_path: Path, text: str | bytes, line: int, told: str):
    source = read_source(given(tmp_path, text))
    (complaint,) = source.complaints
    assert (source.data, complaint.place.line) == (None, line)
    assert told in complaint.text


def test_a_file_that_is_not_there_is_a_complaint(tmp_path: Path):
    (complaint,) = read_source(tmp_path / "nowhere.yaml").complaints
    assert "can't be read" in complaint.text
