"""Decompression that stops at a limit."""

import zlib

# zlib's number for the largest window, in a gzip or zlib wrapping, whichever it finds.
_GZIP_OR_ZLIB = zlib.MAX_WBITS + 32

_GZIP_MARK = b"\x1f\x8b"


class TooLargeError(Exception):
    """More would come out than the limit allows."""


class CorruptError(Exception):
    """It is not gzip or zlib, is damaged, ends early, or something stands after its end."""


class Inflater:
    """Decompresses one gzip or zlib stream piece by piece and never makes more than `limit` bytes and one of it."""

    def __init__(self, *, limit: int) -> None:
        self._stream = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._left = limit

    def feed(self, data: bytes) -> bytes:
        """Return what comes out of the next piece; raises TooLargeError or CorruptError."""
        try:
            out = self._stream.decompress(data, self._left + 1)
        except zlib.error as error:
            raise CorruptError from error
        self._left -= len(out)
        if self._left < 0:
            raise TooLargeError
        if self._stream.unused_data:
            raise CorruptError
        return out

    def finish(self) -> None:
        """Raise CorruptError when the stream has not come to its end."""
        if not self._stream.eof:
            raise CorruptError


def is_gzip(content: bytes) -> bool:
    """Say whether the bytes begin as gzip does."""
    return content.startswith(_GZIP_MARK)


def gunzip(content: bytes, *, limit: int) -> bytes:
    """Return what is compressed in the bytes; raises TooLargeError beyond `limit` bytes, or CorruptError."""
    inflater = Inflater(limit=limit)
    out = inflater.feed(content)
    inflater.finish()
    return out


def gunzip_beginning(content: bytes, *, size: int) -> bytes:
    """Return the first `size` bytes of what is compressed, less if there is less or it is damaged."""
    try:
        return zlib.decompressobj(_GZIP_OR_ZLIB).decompress(content, size)
    except zlib.error:
        return b""
