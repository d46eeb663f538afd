"""Keys are looked up seldom, and go on working while Postgres is away."""

import asyncio

import pytest

from server.auth import key_ring
from server.auth.fake import FakeKeyStore
from server.auth.key_ring import KeyRing, KeysAwayError
from server.auth.keys import ApiKey
from tests.server.auth.given import api_key

KEY = api_key()


class SlowKeyStore(FakeKeyStore):
    """Answers when it is let."""

    def __init__(self, *keys: ApiKey) -> None:
        super().__init__(*keys)
        self.asked, self.let = asyncio.Event(), asyncio.Event()

    async def find(self, key_id: str, *, timeout_secs: float = 0.0) -> ApiKey | None:
        found = await super().find(key_id)
        self.asked.set()
        await self.let.wait()
        return found


async def test_a_key_is_looked_up_once_in_five_seconds():
    store = FakeKeyStore(KEY)
    ring = KeyRing(store)
    for now_mono in (10.0, 12.0, 14.9, 15.0):
        assert await ring.find(KEY.id, now_mono=now_mono) == KEY
    assert store.found == [KEY.id] * 2


async def test_those_who_ask_for_one_key_at_once_share_a_look_up():
    store = SlowKeyStore(KEY)
    ring = KeyRing(store)
    asking = [asyncio.create_task(ring.find(KEY.id, now_mono=10)) for _ in range(50)]
    await store.asked.wait()
    store.let.set()
    assert await asyncio.gather(*asking) == [KEY] * 50
    assert store.found == [KEY.id]


async def test_who_gives_up_takes_the_answer_from_nobody():
    store = SlowKeyStore(KEY)
    ring = KeyRing(store)
    first, second = (asyncio.create_task(ring.find(KEY.id, now_mono=10)) for _ in range(2))
    await store.asked.wait()
    first.cancel()
    store.let.set()
    assert await second == KEY


async def test_a_key_that_is_none_is_none():
    assert await KeyRing(FakeKeyStore()).find(KEY.id, now_mono=10) is None


async def test_a_key_that_was_revoked_here_is_looked_up_at_once():
    store = FakeKeyStore(KEY)
    ring = KeyRing(store)
    await ring.find(KEY.id, now_mono=10)
    await store.revoke(KEY.id)
    ring.forget(KEY.id)
    found = await ring.find(KEY.id, now_mono=10.1)
    assert found is not None
    assert found.revoked_at is not None


async def test_what_was_asked_before_a_revocation_is_not_believed_after_it():
    store = SlowKeyStore(KEY)
    ring = KeyRing(store)
    early = asyncio.create_task(ring.find(KEY.id, now_mono=10))
    await store.asked.wait()
    await store.revoke(KEY.id)
    ring.forget(KEY.id)
    store.let.set()
    await early
    found = await ring.find(KEY.id, now_mono=10.1)
    assert found is not None
    assert found.revoked_at is not None


@pytest.mark.parametrize(("now_mono", "works"), [(16.0, True), (600.0, True), (611.0, False)])
async def test_without_postgres_a_key_that_was_seen_works_for_ten_minutes(now_mono: float, works: bool):
    store = FakeKeyStore(KEY)
    ring = KeyRing(store)
    await ring.find(KEY.id, now_mono=10)
    store.away = True
    if works:
        assert await ring.find(KEY.id, now_mono=now_mono) == KEY
    else:
        with pytest.raises(KeysAwayError):
            await ring.find(KEY.id, now_mono=now_mono)


async def test_without_postgres_nobody_knows_a_new_key():
    store = FakeKeyStore(KEY)
    store.away = True
    with pytest.raises(KeysAwayError):
        await KeyRing(store).find(KEY.id, now_mono=10)


async def test_a_postgres_that_hangs_is_left_alone_for_a_while(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(key_ring, "LOOK_UP_SECS", 0.01)
    store = SlowKeyStore(KEY)
    ring = KeyRing(store)
    with pytest.raises(KeysAwayError):
        await ring.find(KEY.id, now_mono=10)
    with pytest.raises(KeysAwayError):
        await ring.find("bbbbbbbbbbbb", now_mono=11)
    assert store.found == [KEY.id]


async def test_keys_are_looked_up_again_once_postgres_is_back():
    store = FakeKeyStore(KEY)
    store.away = True
    ring = KeyRing(store)
    with pytest.raises(KeysAwayError):
        await ring.find(KEY.id, now_mono=10)
    store.away = False
    assert await ring.find(KEY.id, now_mono=12) == KEY


async def test_a_key_is_noted_as_used_once_a_minute():
    store = FakeKeyStore(KEY)
    ring = KeyRing(store)
    for now_mono in (0.0, 1.0, 59.0, 60.0):
        ring.used(KEY.id, now_mono=now_mono)
        await asyncio.sleep(0)
    assert store.noted == [KEY.id] * 2


async def test_a_use_that_cannot_be_noted_troubles_nobody():
    store = FakeKeyStore(KEY)
    store.away = True
    ring = KeyRing(store)
    ring.used(KEY.id, now_mono=0)
    await asyncio.sleep(0)
    await ring.close()
