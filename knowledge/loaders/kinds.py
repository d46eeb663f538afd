"""What kind of document a name, a content type and the content itself speak of."""

import re
from enum import StrEnum
from io import BytesIO
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit
from zipfile import BadZipFile, ZipFile

from knowledge.loaders.refusal import Refusal

MAX_TEXT_BYTES = 5 * 1024 * 1024
MAX_BINARY_BYTES = 25 * 1024 * 1024


class Kind(StrEnum):
    """How a document is read."""

    MARKDOWN = "Markdown"
    TEXT = "text"
    HTML = "HTML"
    CSV = "CSV"
    TSV = "TSV"
    PDF = "PDF"
    DOCX = "DOCX"


_SUFFIXES = {
    ".md": Kind.MARKDOWN,
    ".markdown": Kind.MARKDOWN,
    ".txt": Kind.TEXT,
    ".text": Kind.TEXT,
    ".html": Kind.HTML,
    ".htm": Kind.HTML,
    ".csv": Kind.CSV,
    ".tsv": Kind.TSV,
    ".pdf": Kind.PDF,
    ".docx": Kind.DOCX,
}
_CONTENT_TYPES = {
    "text/markdown": Kind.MARKDOWN,
    "text/x-markdown": Kind.MARKDOWN,
    "text/plain": Kind.TEXT,
    "text/html": Kind.HTML,
    "application/xhtml+xml": Kind.HTML,
    "text/csv": Kind.CSV,
    "text/tab-separated-values": Kind.TSV,
    "application/pdf": Kind.PDF,
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": Kind.DOCX,
}
SUFFIXES = frozenset(_SUFFIXES)

_PDF_MARK, _ZIP_MARK, _OLE_MARK = b"%PDF-", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# A PDF may begin with other bytes.
_PDF_MARK_WITHIN = 1024
_OLD_OR_PROTECTED = "it is an old .doc or protected by a password; save it as .docx without a password."
_PICTURE = "it is a picture; run OCR on it and save it as PDF."
_PACKED = "it is a packed archive; unpack it and add the files in it."
# No text begins like these.
_MARKS = {
    _PDF_MARK: "it is a PDF, not what its name says; rename it to end in .pdf.",
    _OLE_MARK: _OLD_OR_PROTECTED,
    b"{\\rtf": "it is an RTF document; save it as .docx.",
    b"\x89PNG": _PICTURE,
    b"\xff\xd8\xff": _PICTURE,
    b"GIF8": _PICTURE,
    b"\x1f\x8b": _PACKED,
    b"7z\xbc\xaf": _PACKED,
    b"Rar!\x1a": _PACKED,
}
# What a ZIP is, by the first of these that a name in it begins with.
_ZIPPED = {
    "word/": "it is a Word document, not what its name says; rename it to end in .docx.",
    "xl/": "it is an Excel workbook; save each sheet as CSV.",
    "ppt/": "it is a PowerPoint presentation; export it as PDF.",
    "META-INF/container.xml": "it is an e-book; save it as PDF or HTML.",
    "content.xml": "it is an OpenDocument file; save it as .docx.",
}
_HTML_PAGE = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL
)


def kind_of(name: str, content_type: str | None = None) -> Kind:
    """Return the kind that a name's suffix tells, else the content type; raises Refusal when neither does."""
    media_type = (content_type or "").partition(";")[0].strip().lower()
    kind = _SUFFIXES.get(path_of(name).suffix.lower()) or _CONTENT_TYPES.get(media_type)
    if kind is None:
        raise Refusal(f"files of this kind cannot be read; convert it to one of {', '.join(sorted(SUFFIXES))}.")
    return kind


def path_of(name: str) -> PurePosixPath:
    """Return the path that a path, URL or upload name holds."""
    return PurePosixPath(unquote(urlsplit(name).path) if is_url(name) else name)


def is_url(name: str) -> bool:
    """Tell a URL from a path."""
    return name.startswith(("http://", "https://"))


def check_size(kind: Kind, size: int) -> None:
    """Raise Refusal when a document of so many bytes is too large for its kind."""
    limit = MAX_BINARY_BYTES if kind in (Kind.PDF, Kind.DOCX) else MAX_TEXT_BYTES
    if size > limit:
        raise Refusal(f"it is larger than {limit // 1024**2} MB; split it into several files.")


def check_content(kind: Kind, content: bytes) -> Kind:
    """Return the kind to read the content as: the given one, or HTML where a text is a whole page of it.

    Raises Refusal, with what the content really is, when it is of another kind.
    """
    if kind is Kind.PDF and _PDF_MARK in content[:_PDF_MARK_WITHIN]:
        return kind
    if content.startswith(_ZIP_MARK):
        what = _zipped(content)
        if kind is not Kind.DOCX or what != _ZIPPED["word/"]:
            raise Refusal(what)
        return kind
    for mark, what in _MARKS.items():
        if content.startswith(mark):
            raise Refusal(what)
    if kind in (Kind.PDF, Kind.DOCX):
        raise Refusal(f"it is no {kind}, or damaged; save it anew as {kind}.")
    if kind in (Kind.MARKDOWN, Kind.TEXT) and _HTML_PAGE.match(content, 0, _PDF_MARK_WITHIN):
        return Kind.HTML
    return kind


def _zipped(content: bytes) -> str:
    try:
        with ZipFile(BytesIO(content)) as archive:
            names = archive.namelist()
    except (BadZipFile, NotImplementedError, ValueError):
        return "it is a damaged ZIP archive or document; save it anew."
    kinds = (what for prefix, what in _ZIPPED.items() if any(name.startswith(prefix) for name in names))
    return next(kinds, _PACKED)
