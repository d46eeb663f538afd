from io import BytesIO
from zipfile import ZipFile

import pytest

from knowledge.loaders.kinds import Kind, check_content, kind_of
from knowledge.loaders.refusal import Refusal


def zipped(*names: str) -> bytes:
    archive = BytesIO()
    with ZipFile(archive, "w") as file:
        for name in names:
            file.writestr(name, "x")
    return archive.getvalue()


@pytest.mark.parametrize(
    ("name", "content_type", "kind"),
    [
        ("/docs/A.MD", None, Kind.MARKDOWN),
        ("a.htm", "text/plain", Kind.HTML),
        ("https://example.com/a.pdf?version=2#page=3", None, Kind.PDF),
        ("https://example.com/docs/v1.2", "text/html; charset=utf-8", Kind.HTML),
        ("upload", "Text/CSV", Kind.CSV),
        ("/odd?folder#1/a.tsv", None, Kind.TSV),
    ],
)
def test_the_suffix_tells_the_kind_and_else_the_content_type(name: str, content_type: str | None, kind: Kind) -> None:
    assert kind_of(name, content_type) is kind


def test_a_kind_that_nobody_can_read_is_refused_with_those_that_can_be_read() -> None:
    with pytest.raises(Refusal, match=r"convert it to one of \.csv, \.docx"):
        kind_of("a.key", "application/octet-stream")


@pytest.mark.parametrize(
    ("kind", "content", "reason"),
    [
        (Kind.TEXT, b"%PDF-1.7 ...", "is a PDF"),
        (Kind.DOCX, b"%PDF-1.7 ...", "is a PDF"),
        (Kind.MARKDOWN, zipped("a.md"), "packed archive"),
        (Kind.MARKDOWN, zipped("word/document.xml"), "is a Word document"),
        (Kind.DOCX, zipped("xl/workbook.xml"), "Excel workbook"),
        (Kind.DOCX, zipped("ppt/presentation.xml"), "PowerPoint"),
        (Kind.DOCX, zipped("mimetype", "content.xml"), "OpenDocument"),
        (Kind.DOCX, zipped("a.txt"), "packed archive"),
        (Kind.DOCX, b"PK\x03\x04broken", "damaged"),
        (Kind.DOCX, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "old .doc or protected by a password"),
        (Kind.DOCX, b"Hello", "no DOCX"),
        (Kind.PDF, b"\x93\x01random", "no PDF"),
        (Kind.PDF, b"\x89PNG\r\n", "picture"),
        (Kind.TEXT, b"{\\rtf1 Hello}", "RTF"),
        (Kind.CSV, b"\x1f\x8b\x08", "packed archive"),
    ],
)
def test_content_of_another_kind_is_refused_as_what_it_is(kind: Kind, content: bytes, reason: str) -> None:
    with pytest.raises(Refusal, match=reason):
        check_content(kind, content)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"<!-- saved --><!DOCTYPE html><p>Hi", Kind.HTML),
        (b"\n<html lang=en><p>Hi", Kind.HTML),
        (b"<b>Hi</b> there", Kind.MARKDOWN),
        (b"A text on %PDF-1.7", Kind.MARKDOWN),
    ],
)
def test_a_text_that_is_a_whole_page_is_read_as_one(content: bytes, kind: Kind) -> None:
    assert check_content(Kind.MARKDOWN, content) is kind


def test_a_pdf_may_begin_with_other_bytes() -> None:
    assert check_content(Kind.PDF, b"\r\n\r\n%PDF-1.7") is Kind.PDF
