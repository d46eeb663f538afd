"""What all settings of a vendor have in common."""

import pytest

from bot.providers.provider import MissingExtraError, imported


def test_an_import_that_fails_says_which_extra_to_install():
    with pytest.raises(MissingExtraError, match=r'pip install "jarvis\[acme\]"'), imported(extra="acme"):
        raise ImportError("no module named acme")


def test_what_fails_otherwise_is_not_taken_for_a_missing_extra():
    with pytest.raises(ZeroDivisionError), imported(extra="acme"):
        raise ZeroDivisionError
