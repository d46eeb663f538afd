"""Keys in a real Postgres."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from psycopg_pool import AsyncConnectionPool

from knowledge.database import Database, prepare_connection
from knowledge.errors import KnowledgeUnavailableError
from server.auth.key_store import KeyStore
from server.auth.keys import ApiKey, make
from server.sql import SERVER

pytestmark = pytest.mark.integration

SOON = datetime(2099, 1, 1, tzinfo=UTC)


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[KeyStore]:
    """The table of keys, empty."""
    async with AsyncConnectionPool(
        database_url, min_size=1, max_size=2, open=False, configure=prepare_connection
    ) as pool:
        database = Database(pool, package=SERVER)
        await database.migrate()
        async with pool.connection() as connection:
            await connection.execute("truncate api_keys")
        yield KeyStore(database)


async def add(store: KeyStore, name: str = "shop") -> ApiKey:
    return await store.add(make(), name=name, scopes=["tts", "asr", "asr"], per_minute=60, at_once=2, expires_at=SOON)


async def test_a_key_is_found_as_it_was_made(store: KeyStore):
    key = await add(store)
    assert await store.find(key.id) == key
    assert (key.scopes, key.expires_at, key.last_used_at) == (("asr", "tts"), SOON, None)


async def test_the_secret_is_not_in_the_database(store: KeyStore, database_url: str):
    made = make()
    await store.add(made, name="shop", scopes=["asr"], per_minute=1, at_once=1, expires_at=None)
    async with AsyncConnectionPool(database_url, min_size=1, open=False) as pool, pool.connection() as connection:
        row = await (await connection.execute("select k::text from api_keys k")).fetchone()
    assert row is not None
    assert made.secret not in row[0]


async def test_an_id_that_is_none_finds_nothing(store: KeyStore):
    assert await store.find("000000000000") is None


async def test_keys_are_listed_in_the_order_of_their_making(store: KeyStore):
    made = [await add(store, name) for name in ("a", "b", "c")]
    assert await store.list() == made


async def test_a_revoked_key_says_when_it_was_revoked_first(store: KeyStore):
    key = await add(store)
    assert await store.revoke(key.id)
    first = await store.find(key.id)
    assert await store.revoke(key.id)
    assert first is not None
    assert first.revoked_at is not None
    assert await store.find(key.id) == first


async def test_what_is_not_there_is_not_revoked(store: KeyStore):
    assert not await store.revoke("000000000000")


async def test_a_use_is_noted_with_its_time(store: KeyStore):
    key = await add(store)
    await store.note_used(key.id)
    found = await store.find(key.id)
    assert found is not None
    assert found.last_used_at is not None
    assert abs(datetime.now(UTC) - found.last_used_at) < timedelta(minutes=1)
    assert replace(found, last_used_at=None) == key


async def test_a_database_that_is_away_says_so():
    async with AsyncConnectionPool(
        "postgresql://127.0.0.1:1/nobody", min_size=0, max_size=1, open=False, timeout=0.1, reconnect_timeout=0.1
    ) as pool:
        with pytest.raises(KnowledgeUnavailableError):
            await KeyStore(Database(pool, package=SERVER)).find("000000000000", timeout_secs=0.2)
