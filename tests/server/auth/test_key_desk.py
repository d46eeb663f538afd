"""Making, listing and revoking keys."""

from datetime import timedelta

from server.auth.fake import FakeKeyStore
from server.auth.key_desk import KeyDesk
from server.auth.keys import parts_of
from server.auth.schemas import NewKey
from tests.server.auth.given import NOW, SECRET, api_key


def desk(store: FakeKeyStore) -> KeyDesk:
    return KeyDesk(store=store, per_minute=300, at_once=10)


async def test_what_is_shown_of_a_new_key_opens_what_it_is_for():
    store = FakeKeyStore()
    made = await desk(store).create(NewKey(name="shop", scopes=["asr"]), now=NOW)
    parts = parts_of(made.key)
    assert parts is not None
    assert parts[0] == made.created.id
    assert store.keys[made.created.id].verdict(parts[1], now=NOW) == "good"


async def test_a_key_that_names_no_limits_has_the_settings():
    made = await desk(FakeKeyStore()).create(NewKey(name="shop", scopes=["asr"]), now=NOW)
    assert (made.created.per_minute, made.created.at_once, made.created.expires_at) == (300, 10, None)


async def test_a_key_has_the_limits_that_it_names():
    wanted = NewKey(name="shop", scopes=["asr"], per_minute=7, at_once=1, expires_days=30)
    made = await desk(FakeKeyStore()).create(wanted, now=NOW)
    assert (made.created.per_minute, made.created.at_once) == (7, 1)
    assert made.created.expires_at == NOW + timedelta(days=30)


async def test_a_list_says_how_each_key_stands_and_no_secret():
    store = FakeKeyStore(
        api_key(id="aaaaaaaaaaaa"),
        api_key(id="bbbbbbbbbbbb", expires_at=NOW),
        api_key(id="cccccccccccc", revoked_at=NOW),
    )
    listed = await desk(store).list(now=NOW)
    assert [key.state for key in listed.keys] == ["good", "expired", "revoked"]
    assert SECRET not in listed.model_dump_json()


async def test_a_revoked_key_opens_nothing():
    store = FakeKeyStore(api_key())
    assert await desk(store).revoke("aaaaaaaaaaaa")
    assert store.keys["aaaaaaaaaaaa"].state(now=NOW) == "revoked"
