"""What stands on the pages of a PDF: its lines, where they stand and how large they are."""

import re
from collections.abc import Iterator
from contextlib import closing
from ctypes import byref, c_int, create_string_buffer
from dataclasses import dataclass, replace
from math import hypot

import pypdfium2
import pypdfium2.raw as pdfium

from knowledge.loaders.builder import MAX_CHARS
from knowledge.loaders.refusal import Refusal

MAX_PAGES = 2_000
MAX_OUTLINE_ENTRIES = 5_000

_PROTECTED = "it is protected by a password; save it without one."
_SCANNED = "it is scanned: its pages are pictures; run OCR on it first."
_DAMAGED = "it is no PDF, or damaged; export it anew as PDF."
# A page with less text than this, and a picture, is taken to be scanned.
_BARE_CHARS = 25
# PDFium writes U+FFFE for a hyphen that it takes to cut a word at the end of a line.
_LINE = re.compile(r"([^\r\n\ufffe]+)(\ufffe?)")
_BOLD_NAME = re.compile(r"bold|black|heavy|demi|cmbx", re.IGNORECASE)
_FORCED_BOLD = 1 << 18


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text. Lengths are in points; `top` and `bottom` count down from the top of the page.

    `page` counts from 0. `size` is the type size of the line's first character.
    """

    page: int
    text: str
    size: float
    bold: bool
    left: float
    right: float
    top: float
    bottom: float


@dataclass(frozen=True)
class OutlineEntry:
    """An entry of the document's own table of contents; `level` counts from 1 and `page` from 0."""

    level: int
    title: str
    page: int | None


@dataclass(frozen=True)
class Pages:
    """All that is read of a PDF; `heights` are the pages' heights in points."""

    title: str
    heights: tuple[float, ...]
    lines: tuple[Line, ...]
    outline: tuple[OutlineEntry, ...]


def read_pages(content: bytes) -> Pages:
    """Return the lines of a PDF in reading order.

    Raises Refusal when it is damaged, protected by a password or scanned, or has too many pages or too much text.
    """
    try:
        with closing(pypdfium2.PdfDocument(content)) as document:
            return _read(document)
    except pypdfium2.PdfiumError as error:
        protected = error.err_code in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY)
        raise Refusal(_PROTECTED if protected else _DAMAGED) from error


def _read(document: pypdfium2.PdfDocument) -> Pages:
    if len(document) > MAX_PAGES:
        raise Refusal(f"it has more than {MAX_PAGES:,} pages; split it into several files.")
    lines: list[Line] = []
    heights: list[float] = []
    chars = scanned = 0
    for number in range(len(document)):
        with closing(document[number]) as page:
            found = list(_lines(page, number))
            heights.append(page.get_height())
            written = sum(len(line.text) for line in found)
            scanned += written < _BARE_CHARS and _has_picture(page)
        chars += written
        if chars > MAX_CHARS:
            raise Refusal(f"it holds more than {MAX_CHARS:,} characters of text; split it into several files.")
        lines += found
    if scanned * 2 > len(document):
        raise Refusal(_SCANNED)
    return Pages(document.get_metadata_value("Title"), tuple(heights), tuple(lines), tuple(_outline(document)))


def _lines(page: pypdfium2.PdfPage, number: int) -> Iterator[Line]:
    with closing(page.get_textpage()) as text_page:
        _, _, _, page_top = page.get_cropbox() or (0, 0, *page.get_size())
        for match in _LINE.finditer(text_page.get_text_range()):
            text = match[1].strip()
            if not text:
                continue
            first = match.start() + len(match[1]) - len(match[1].lstrip())
            line = _line(text_page, first, first + len(text) - 1, page_top)
            yield replace(line, page=number, text=text + "-" if match[2] else text)


def _line(text_page: pypdfium2.PdfTextPage, first: int, last: int, page_top: float) -> Line:
    """Return a line without its text and page, from the places of its first and last character in the page's text."""
    start, end, scale = pdfium.FS_RECTF(), pdfium.FS_RECTF(), pdfium.FS_MATRIX()
    begin = pdfium.FPDFText_GetCharIndexFromTextIndex(text_page, first)
    finish = pdfium.FPDFText_GetCharIndexFromTextIndex(text_page, last)
    pdfium.FPDFText_GetLooseCharBox(text_page, begin, byref(start))
    pdfium.FPDFText_GetLooseCharBox(text_page, finish, byref(end))
    pdfium.FPDFText_GetMatrix(text_page, begin, byref(scale))
    return Line(
        page=0,
        text="",
        size=pdfium.FPDFText_GetFontSize(text_page, begin) * hypot(scale.c, scale.d),
        bold=_is_bold(text_page, begin) and _is_bold(text_page, finish),
        left=start.left,
        right=end.right,
        top=page_top - start.top,
        bottom=page_top - start.bottom,
    )


def _is_bold(text_page: pypdfium2.PdfTextPage, index: int) -> bool:
    flags, name = c_int(), create_string_buffer(128)
    pdfium.FPDFText_GetFontInfo(text_page, index, name, len(name), byref(flags))
    return bool(flags.value & _FORCED_BOLD) or bool(_BOLD_NAME.search(name.value.decode("utf-8", "replace")))


def _has_picture(page: pypdfium2.PdfPage) -> bool:
    return next(page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=2), None) is not None


def _outline(document: pypdfium2.PdfDocument) -> Iterator[OutlineEntry]:
    for count, entry in enumerate(document.get_toc(max_depth=6)):
        if count == MAX_OUTLINE_ENTRIES:
            return
        target = entry.get_dest()
        yield OutlineEntry(entry.level + 1, entry.get_title(), target.get_index() if target else None)
