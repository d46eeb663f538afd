"""Files in, plain text with sections out."""

import re

from knowledge.errors import DocumentError
from knowledge.loaders.encoding import decode
from knowledge.loaders.kinds import (
    MAX_BINARY_BYTES,
    MAX_TEXT_BYTES,
    SUFFIXES,
    Kind,
    check_content,
    check_size,
    is_url,
    kind_of,
    path_of,
)
from knowledge.loaders.refusal import Refusal
from knowledge.types import LoadedDocument

__all__ = ["MAX_BINARY_BYTES", "MAX_TEXT_BYTES", "SUFFIXES", "load", "title_of"]

_EMPTY = "it holds no text; write something in it or remove it."
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
# A page says what it is encoded in among its first bytes.
_HEAD_BYTES = 1024


def load(name: str, content: bytes, *, content_type: str | None = None) -> LoadedDocument:
    """Return the document that a file holds; `name` is its path, its URL or what it was uploaded as.

    The name's suffix tells the kind, else the content type does. Raises DocumentError when the kind is not supported or
    not what the content is, and when the content is too large, damaged, protected, undecodable or empty.
    """
    try:
        kind = kind_of(name, content_type)
        check_size(kind, len(content))
        if not content:
            raise Refusal(_EMPTY)
        document = _parse(check_content(kind, content), content, content_type, title_of(name))
        if not document.sections:
            raise Refusal(_EMPTY)
    except Refusal as refusal:
        raise DocumentError(name, str(refusal)) from refusal
    return document


def title_of(name: str) -> str:
    """Return a speakable title for a file that names none: `refund-policy.txt` → `Refund policy`.

    A URL is called after its last folder when its file is only an index, and after its host when it has no path.
    """
    path = path_of(name)
    stem = path.stem if path.suffix.strip(".").isalpha() else path.name
    if is_url(name) and stem in ("", "index", "default"):
        stem = path.parent.name or name.split("/")[2]
    words = stem.replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def _parse(kind: Kind, content: bytes, content_type: str | None, title: str) -> LoadedDocument:
    # A parser is imported when it is first wanted: some bring native code that most processes never need.
    match kind:
        case Kind.PDF:
            from knowledge.loaders.pdf import parse_pdf

            return parse_pdf(content, title)
        case Kind.DOCX:
            from knowledge.loaders.docx import parse_docx

            return parse_docx(content, title)
        case Kind.HTML:
            from knowledge.loaders.html import parse_html

            said = _CHARSET.search(f"{content_type} {content[:_HEAD_BYTES].decode('latin-1')}")
            return parse_html(decode(content, charset=said and said[1]), title)
    said = _CHARSET.search(content_type or "")
    text = decode(content, charset=said and said[1])
    match kind:
        case Kind.MARKDOWN:
            from knowledge.loaders.markdown import parse_markdown

            return parse_markdown(text, title)
        case Kind.CSV | Kind.TSV:
            from knowledge.loaders.delimited import parse_delimited

            return parse_delimited(text, title, delimiter="\t" if kind is Kind.TSV else None)
        case _:
            from knowledge.loaders.plain import parse_plain

            return parse_plain(text, title)
