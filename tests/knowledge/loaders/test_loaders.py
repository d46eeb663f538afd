import random

import pytest

from knowledge.errors import DocumentError
from knowledge.loaders import MAX_BINARY_BYTES, MAX_TEXT_BYTES, load, title_of


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.key", b"x", "cannot be read"),
        ("a.txt", b"", "no text"),
        ("a.pdf", b"", "no text"),
        ("a.docx", b"", "no text"),
        ("a.txt", b" \n\t ", "no text"),
        ("a.html", b"<p> </p><script>main()</script>", "no text of its own"),
        ("a.csv", b",,\n,,\n", "no text"),
        ("a.md", b"---\ntitle: x\n---\n", "no text"),
        ("a.md", b"\x7fELF\x00\x01\x02\xff", "binary"),
        ("a.txt", b"a\x00b", "binary"),
        ("a.txt", b"x" * (MAX_TEXT_BYTES + 1), "larger than 5 MB; split it"),
        ("a.md", b"x" * 10_000_000, "larger than 5 MB; split it"),
        ("a.pdf", b"x" * (MAX_BINARY_BYTES + 1), "larger than 25 MB; split it"),
        ("a.pdf", random.Random(1).randbytes(5000), "no PDF"),
        ("a.pdf", b"%PDF-1.7\n" + random.Random(1).randbytes(5000), "no PDF, or damaged"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(name: str, content: bytes, reason: str) -> None:
    with pytest.raises(DocumentError, match=reason):
        load(f"/docs/{name}", content)


def test_the_suffix_decides_in_either_case() -> None:
    assert load("A.MD", b"# Refunds\n\nFree.").title == "Refunds"


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        ("Öffnungszeiten".encode("latin-1"), "text/html; charset=ISO-8859-1"),
        (b"<meta charset='windows-1252'>" + "Öffnungszeiten".encode("cp1252"), "text/html"),
    ],
)
def test_a_page_is_decoded_as_it_says(content: bytes, content_type: str) -> None:
    assert load("https://example.com/hours", content, content_type=content_type).text == "Öffnungszeiten"


def test_a_page_saved_as_text_loses_its_markup() -> None:
    assert load("page.txt", b"<!doctype html><p>Free <b>bikes</b>").text == "Free bikes"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("/docs/refund-policy.txt", "Refund policy"),
        ("FAQ.md", "FAQ"),
        ("opening_hours.v2.txt", "Opening hours.v2"),
        ("https://example.com/help/refund-policy.html?lang=en", "Refund policy"),
        ("https://example.com/help/opening%20hours/", "Opening hours"),
        ("https://example.com/help/index.html", "Help"),
        ("https://example.com/api/v1.2", "V1.2"),
        ("https://example.com", "Example.com"),
    ],
)
def test_a_name_becomes_a_speakable_title(name: str, title: str) -> None:
    assert title_of(name) == title
