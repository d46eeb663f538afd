from pathlib import Path

import pytest

from knowledge.errors import DocumentError
from knowledge.loaders import MAX_DOCUMENT_BYTES, load, title_of


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.pdf", b"%PDF-1.7", "cannot be read"),
        ("a.txt", b"", "no text"),
        ("a.txt", b" \n\t ", "no text"),
        ("a.md", b"---\ntitle: x\n---\n", "no text"),
        ("a.md", b"\x7fELF\x00\x01\x02\xff", "binary"),
        ("a.txt", b"a\x00b", "binary"),
        ("a.txt", b"x" * (MAX_DOCUMENT_BYTES + 1), "larger"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(name: str, content: bytes, reason: str) -> None:
    with pytest.raises(DocumentError, match=reason):
        load(Path("/docs") / name, content)


def test_the_suffix_decides_in_either_case() -> None:
    assert load(Path("A.MD"), b"# Refunds\n\nFree.").title == "Refunds"


@pytest.mark.parametrize(
    ("name", "title"),
    [("refund-policy.txt", "Refund policy"), ("FAQ.md", "FAQ"), ("opening_hours.v2.txt", "Opening hours.v2")],
)
def test_a_file_name_becomes_a_speakable_title(name: str, title: str) -> None:
    assert title_of(Path(name)) == title
