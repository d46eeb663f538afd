"""Files in, plain text with sections out."""

from collections.abc import Callable
from pathlib import Path

from knowledge.errors import DocumentError
from knowledge.loaders.encoding import decode
from knowledge.loaders.markdown import parse_markdown
from knowledge.loaders.plain import parse_plain
from knowledge.types import LoadedDocument

MAX_DOCUMENT_BYTES = 2 * 1024 * 1024

# A parser takes the decoded text and the title to fall back on.
_PARSERS: dict[str, Callable[[str, str], LoadedDocument]] = {
    ".md": parse_markdown,
    ".markdown": parse_markdown,
    ".txt": parse_plain,
    ".text": parse_plain,
}


def load(path: Path, content: bytes) -> LoadedDocument:
    """Return the document that a file holds.

    Raises DocumentError when the file's kind is not supported, or it is too large, binary, undecodable or empty.
    """
    parser = _PARSERS.get(path.suffix.lower())
    if parser is None:
        kinds = ", ".join(sorted(_PARSERS))
        raise DocumentError(path, f"files of this kind cannot be read; convert it to one of {kinds}.")
    if len(content) > MAX_DOCUMENT_BYTES:
        raise DocumentError(path, f"it is larger than {MAX_DOCUMENT_BYTES // 1024**2} MB; split it into several files.")
    document = parser(decode(path, content), title_of(path))
    if not document.sections:
        raise DocumentError(path, "it holds no text; write something in it or remove it.")
    return document


def title_of(path: Path) -> str:
    """Return a speakable title for a file that names none: `refund-policy.txt` → `Refund policy`."""
    words = path.stem.replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:]
