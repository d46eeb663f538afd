"""Ids as a person types them."""

from uuid import UUID

import pytest

from server.commands.short_ids import by_prefix, short
from server.errors import SetupError

ONE, OTHER = UUID("abcd1234-0000-4000-8000-000000000001"), UUID("abcd9876-0000-4000-8000-000000000002")


@pytest.mark.parametrize("prefix", ["abcd1", "ABCD1234", short(ONE), str(ONE)])
def test_the_first_characters_are_enough(prefix: str):
    assert by_prefix(prefix, [ONE, OTHER], noun="gap") == ONE


@pytest.mark.parametrize(
    ("prefix", "said"),
    [
        ("f", "There is no gap 'f'. `jarvis gaps` lists them"),
        ("", "There is no gap ''"),
        ("abcd", "2 gaps begin with 'abcd'"),
    ],
)
def test_none_and_several_are_refused(prefix: str, said: str):
    with pytest.raises(SetupError, match=said):
        by_prefix(prefix, [ONE, OTHER], noun="gap")
