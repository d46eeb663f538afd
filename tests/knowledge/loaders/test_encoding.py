import pytest

from knowledge.loaders.encoding import decode, storable
from knowledge.loaders.refusal import Refusal

TEXT = "Die Öffnungszeiten für Gäste: täglich von sieben bis zweiundzwanzig Uhr, außer an Feiertagen.\n" * 5


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252", "latin-1"])
def test_text_is_decoded_whatever_its_encoding(encoding: str) -> None:
    assert decode(TEXT.encode(encoding)) == TEXT


def test_what_the_text_is_said_to_be_in_counts_where_it_is_not_unicode() -> None:
    assert decode("Привет".encode("koi8-r"), charset="koi8-r") == "Привет"


def test_line_ends_become_newlines() -> None:
    assert decode(b"a\r\nb\rc\n") == "a\nb\nc\n"


@pytest.mark.parametrize(
    ("content", "charset"), [(bytes(range(1, 256)) * 40, None), (b"\xff\xfea", None), (b"\xff", "no-such-charset")]
)
def test_bytes_that_are_no_text_are_refused(content: bytes, charset: str | None) -> None:
    with pytest.raises(Refusal, match="save it as UTF-8"):
        decode(content, charset=charset)


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("a\0b", "ab"),
        ("a\ud800b", "ab"),
        ("hand\xadbook", "handbook"),
        ("a\u200bb\u202ec", "abc"),
        ("a\x0cb", "a\nb"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("हिन्दी 👩‍🔧", "हिन्दी 👩‍🔧"),
    ],
)
def test_only_what_can_be_stored_and_spoken_is_kept(text: str, stored: str) -> None:
    assert storable(text) == stored
