"""Bytes in, text out."""

import codecs
from pathlib import Path

from charset_normalizer import from_bytes

from knowledge.errors import DocumentError

_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)


def decode(path: Path, content: bytes) -> str:
    """Return the text of a file with `\\n` line ends; raises DocumentError when the file is binary or undecodable."""
    text = _decode(path, content)
    if "\0" in text:
        raise DocumentError(path, "it is a binary file; export it as text.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decode(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    if b"\0" in content and not content.startswith(_WIDE_MARKS):
        raise DocumentError(path, "it is a binary file; export it as text.")
    guess = from_bytes(content).best()
    if guess is None:
        raise DocumentError(path, "its character encoding is unknown; save it as UTF-8.")
    return str(guess)
