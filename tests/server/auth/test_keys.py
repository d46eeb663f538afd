"""What an API key looks like, and whether one is good."""

from datetime import timedelta
from typing import Any

import pytest

from server.auth.keys import hash_of, make, parts_of
from tests.server.auth.given import NOW, SECRET, api_key


def test_a_made_key_is_read_as_its_parts():
    made = make()
    assert parts_of(made.shown) == (made.id, made.secret)


def test_no_two_keys_are_the_same():
    assert len({make().shown for _ in range(100)}) == 100


def test_a_secret_has_256_bits():
    assert len(bytes.fromhex(make().secret)) == 32


def test_what_is_kept_does_not_hold_the_secret():
    assert SECRET not in repr(api_key()) + repr(hash_of(SECRET))


@pytest.mark.parametrize(
    "shown",
    [
        "",
        "jk_",
        f"jk_aaaaaaaaaaaa_{SECRET[:-1]}",
        f"jk_aaaaaaaaaaaa_{SECRET}5",
        f"jk_aaaaaaaaaaaa_{SECRET}\n",
        f"JK_aaaaaaaaaaaa_{SECRET}",
        f"jk_AAAAAAAAAAAA_{SECRET}",
        f"jk_aaaaaaaaaaa'_{SECRET}",
        f"jk_٣٣٣٣٣٣٣٣٣٣٣٣_{SECRET}",
        "x" * 10_000,
    ],
)
def test_what_has_not_the_form_of_a_key_is_none(shown: str):
    assert parts_of(shown) is None


@pytest.mark.parametrize(
    ("changes", "secret", "verdict"),
    [
        ({}, SECRET, "good"),
        ({}, "6" * 64, "wrong"),
        ({"expires_at": NOW + timedelta(seconds=1)}, SECRET, "good"),
        ({"expires_at": NOW}, SECRET, "expired"),
        ({"revoked_at": NOW}, SECRET, "revoked"),
        ({"revoked_at": NOW, "expires_at": NOW}, SECRET, "revoked"),
        ({"revoked_at": NOW}, "6" * 64, "wrong"),
    ],
)
def test_a_secret_opens_what_is_neither_expired_nor_revoked(changes: dict[str, Any], secret: str, verdict: str):
    assert api_key(**changes).verdict(secret, now=NOW) == verdict
