"""What documents and collections may be called."""

import pytest

from server.rag.names import checked_collection, plain_name


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("sauna.md", "sauna.md"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Documents\\sauna.md", "sauna.md"),
        ("  sauna\r\n.md ", "sauna.md"),
        ("sau\x00na\u202e.md", "sauna.md"),
        ("Sauna (2026) – ü.md", "Sauna (2026) – ü.md"),
        ("Sauna u\u0308.md", "Sauna ü.md"),
        (".md", ".md"),
    ],
)
def test_a_name_loses_its_folders_and_what_cannot_be_printed(name: str, plain: str):
    assert plain_name(name) == plain


@pytest.mark.parametrize("name", ["", " ", "/", "..", "folder/", "\x00\x1f", "a" * 301])
def test_a_name_of_which_nothing_stays_is_refused(name: str):
    with pytest.raises(ValueError, match="document"):
        plain_name(name)


@pytest.mark.parametrize("name", ["default", "0", "spa_2-b", "a" * 63])
def test_a_collection_may_be_called_by_letters_digits_and_dashes(name: str):
    assert checked_collection(name) == name


@pytest.mark.parametrize("name", ["", "Spa", "-a", "_a", "a b", "a/b", "ä", "a\n", "a" * 64])
def test_any_other_name_of_a_collection_is_refused_with_the_rule(name: str):
    with pytest.raises(ValueError, match="1 to 63 lower-case letters"):
        checked_collection(name)
