"""Bytes in, text out."""

import codecs
import re

from charset_normalizer import from_bytes

from knowledge.loaders.refusal import Refusal

_BINARY = "it is a binary file; export it as text."
_UNKNOWN = "its character encoding is unknown; save it as UTF-8."
# The marks of UTF-32 come first, as one of them begins like one of UTF-16.
_WIDE_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# How much of a text its encoding is guessed from.
_SAMPLE_BYTES = 100_000
_SPACING = re.compile(r"[\v\f\x1c-\x1f\x85\u2028\u2029]")
_UNSPOKEN = re.compile(
    # Controls but for tab and newline, soft hyphens, what directs the layout only, and what Postgres cannot hold.
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff"
    # Halves of surrogate pairs, and the invisible twins of ASCII.
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def decode(content: bytes, *, charset: str | None = None) -> str:
    """Return a text with `\\n` line ends; `charset` is what the text is said to be in, where it is not Unicode.

    Raises Refusal when it is binary or undecodable.
    """
    text = _decode(content, charset)
    if "\0" in text:
        raise Refusal(_BINARY)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def storable(text: str) -> str:
    """Return a text without the characters that are neither seen nor spoken, some of which Postgres cannot hold."""
    return _UNSPOKEN.sub("", _SPACING.sub("\n", text))


def _decode(content: bytes, charset: str | None) -> str:
    try:
        for mark, wide in _WIDE_MARKS.items():
            if content.startswith(mark):
                return content.decode(wide)
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    if content.startswith(tuple(_WIDE_MARKS)):
        raise Refusal(_UNKNOWN)
    if b"\0" in content:
        raise Refusal(_BINARY)
    if charset is None:
        guess = from_bytes(content[:_SAMPLE_BYTES]).best()
        charset = guess and guess.encoding
    if charset is None:
        raise Refusal(_UNKNOWN)
    try:
        return content.decode(charset)
    except (UnicodeDecodeError, LookupError) as error:
        raise Refusal(_UNKNOWN) from error
