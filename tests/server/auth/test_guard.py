"""Who is let in by what they show."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.requests import HTTPConnection

from server.auth.fake import FakeKeyStore, FakeLimits, fake_guard
from server.auth.guard import Guard, require
from server.auth.key_ring import KeyRing
from server.auth.operator import OperatorKey
from server.auth.principal import OPERATOR, Principal
from server.errors import Problem
from tests.server.auth.given import SECRET, api_key, shown

OPERATOR_KEY = "the operator's key"
KEY = api_key("asr")
NOBODY = HTTPConnection({"type": "http", "client": ("192.0.2.1", 1), "headers": []})


async def admitted(guard: Guard, sent: str | None) -> Principal:
    async with guard.admitted(sent, NOBODY) as principal:
        return principal


async def refusal(guard: Guard, sent: str | None) -> tuple[int, str]:
    with pytest.raises(Problem) as problem:
        await admitted(guard, sent)
    return problem.value.status, problem.value.title


async def test_the_operators_key_is_the_operator_and_counts_nowhere():
    limits = FakeLimits()
    assert await admitted(fake_guard(OPERATOR_KEY, limits=limits), OPERATOR_KEY) is OPERATOR
    assert limits.counted == []


async def test_a_key_is_its_holder_and_has_a_place_until_the_end():
    limits = FakeLimits()
    async with fake_guard(OPERATOR_KEY, KEY, limits=limits).admitted(shown(KEY), NOBODY) as principal:
        assert (principal.id, principal.name, principal.scopes) == (KEY.id, "shop", {"asr"})
        assert limits.open == [KEY.id]
    assert limits.open == []


LATELY = datetime.now(UTC) - timedelta(seconds=1)


@pytest.mark.parametrize(
    ("changes", "sent", "title"),
    [
        ({}, None, "A key is needed"),
        ({}, "", "This key is not valid"),
        ({}, "another", "This key is not valid"),
        ({}, f"{OPERATOR_KEY}x", "This key is not valid"),
        ({}, f"jk_{KEY.id}_{'6' * 64}", "This key is not valid"),
        ({}, f"jk_bbbbbbbbbbbb_{SECRET}", "This key is not valid"),
        ({"expires_at": LATELY}, shown(KEY), "This key has expired"),
        ({"revoked_at": LATELY}, shown(KEY), "This key was revoked"),
    ],
)
async def test_what_opens_nothing_is_refused(changes: dict[str, Any], sent: str | None, title: str):
    assert await refusal(fake_guard(OPERATOR_KEY, api_key("asr", **changes)), sent) == (401, title)


async def test_a_wrong_secret_counts_against_its_address_and_not_against_the_key():
    limits = FakeLimits()
    await refusal(fake_guard(OPERATOR_KEY, KEY, limits=limits), shown(KEY, "6" * 64))
    assert limits.counted == [("address", "192.0.2.1")]


async def test_a_key_that_nobody_can_look_up_is_no_fault_of_its_holder():
    store = FakeKeyStore(KEY)
    store.away = True
    guard = Guard(operator=OperatorKey(OPERATOR_KEY), keys=KeyRing(store), limits=FakeLimits())
    assert await refusal(guard, shown(KEY)) == (503, "The key can't be checked")


@pytest.mark.parametrize(
    ("sent", "knows"), [(OPERATOR_KEY, True), (shown(KEY), True), ("a.b.c", False), ("", False), ("jk_", False)]
)
def test_a_key_is_told_from_a_sessions_token_by_its_form(sent: str, knows: bool):
    assert fake_guard(OPERATOR_KEY).knows(sent) is knows


def test_who_lacks_a_scope_is_told_which_and_what_there_is():
    with pytest.raises(Problem) as problem:
        require(Principal(id="a", name="shop", scopes=frozenset({"asr", "tts"})), "knowledge:write")
    assert (problem.value.status, problem.value.title) == (403, "The scope knowledge:write is missing")
    assert "asr, tts" in problem.value.detail


def test_who_shows_no_key_has_no_scope():
    with pytest.raises(Problem) as problem:
        require(None, "admin")
    assert problem.value.status == 401
