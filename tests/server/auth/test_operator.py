"""The operator's key."""

import pytest

from server.auth.operator import OperatorKey


def test_the_key_is_the_key():
    assert OperatorKey("key é").matches("key é")


@pytest.mark.parametrize("shown", ["", "ke", "keys", "Key", "é"])
def test_anything_else_is_not(shown: str):
    assert not OperatorKey("key").matches(shown)
