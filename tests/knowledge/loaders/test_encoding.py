from pathlib import Path

import pytest

from knowledge.errors import DocumentError
from knowledge.loaders.encoding import decode

TEXT = "Die Öffnungszeiten für Gäste: täglich von sieben bis zweiundzwanzig Uhr, außer an Feiertagen.\n" * 5


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_text_is_decoded_whatever_its_encoding(encoding: str) -> None:
    assert decode(Path("a.txt"), TEXT.encode(encoding)) == TEXT


def test_line_ends_become_newlines() -> None:
    assert decode(Path("a.txt"), b"a\r\nb\rc\n") == "a\nb\nc\n"


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(DocumentError, match="encoding is unknown"):
        decode(Path("a.txt"), bytes(range(1, 256)) * 40)
