import gzip
import tracemalloc
import zlib

import pytest

from knowledge.fetching.compression import CorruptError, Inflater, TooLargeError, gunzip, gunzip_beginning

MB = 1024 * 1024


@pytest.mark.parametrize("compress", [gzip.compress, zlib.compress])
def test_a_stream_comes_out_whole_whatever_its_pieces(compress) -> None:
    content = bytes(range(256)) * 40
    inflater = Inflater(limit=len(content))
    out = b"".join(inflater.feed(bytes([each])) for each in compress(content))
    inflater.finish()
    assert out == content


def test_a_bomb_is_not_expanded_past_the_limit() -> None:
    bomb = gzip.compress(bytes(200 * MB), compresslevel=1)
    tracemalloc.start()
    with pytest.raises(TooLargeError):
        gunzip(bomb, limit=MB)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * MB


def test_one_byte_over_the_limit_is_too_large() -> None:
    with pytest.raises(TooLargeError):
        gunzip(gzip.compress(b"12345"), limit=4)


@pytest.mark.parametrize(
    "content",
    [b"plain text", b"", gzip.compress(b"text" * 99)[:-9], gzip.compress(b"a") + b"tail", gzip.compress(b"a") * 2],
)
def test_what_is_no_single_whole_stream_is_corrupt(content: bytes) -> None:
    with pytest.raises(CorruptError):
        gunzip(content, limit=MB)


def test_the_beginning_is_read_from_a_part_of_the_stream() -> None:
    assert gunzip_beginning(gzip.compress(b"beginning" + bytes(MB))[:200], size=9) == b"beginning"
