"""The made-up documents, and what becomes of them."""

from pathlib import Path

import psutil
import pytest

from evals.bench.retrieval import Writer, is_indexer, stored


def test_the_documents_are_always_the_same_and_as_many_as_were_asked_for(tmp_path: Path):
    for name in ("one", "two"):
        Writer().folder(tmp_path / name, documents=3, passages=2)
    first, second = (sorted((tmp_path / name).iterdir()) for name in ("one", "two"))
    assert [each.read_text() for each in first] == [each.read_text() for each in second]
    assert len(first) == 3
    assert first[0].read_text().count("\n## ") == 2


class Page:
    """A Jarvis that lists its documents a page at a time."""

    def __init__(self) -> None:
        self.pages = [
            {"documents": [{"source": "a", "version": 1}, {"source": "b", "version": None}], "next": "b"},
            {"documents": [{"source": "c", "version": 2}], "next": None},
        ]

    def operator_key(self) -> str:
        """Opens it."""
        return "k"

    def request(self, _method: str, path: str, token: str) -> tuple[int, dict, dict]:
        """The next page."""
        assert token == "k"
        assert ("after=b" in path) is (len(self.pages) == 1)
        return 200, self.pages.pop(0), {}


def test_what_was_read_is_listed_page_by_page():
    assert stored(Page()) == {"a": 1, "c": 2}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("command", "parent", "is_one"),
    [
        (["python", "-m", "knowledge.indexer"], 7, True),
        (["python", "-m", "knowledge.indexer"], 9, False),
        (["postgres"], 7, False),
        (None, 7, False),
    ],
)
def test_only_indexers_of_ones_own_are_killed(command: list[str] | None, parent: int, is_one: bool):
    process = psutil.Process()
    process.info = {"cmdline": command}  # type: ignore[attr-defined]
    process.ppid = lambda: parent  # type: ignore[method-assign]
    assert is_indexer(process, of=(7,)) is is_one
