"""Making and revoking keys, for the command line and over HTTP."""

from datetime import datetime, timedelta

from server.auth.key_store import KeyStore
from server.auth.keys import make
from server.auth.schemas import CreatedKey, Keys, KeyState, NewKey


class KeyDesk:
    """Makes keys, of these limits where none are wanted, lists and revokes them.

    Every method raises KnowledgeUnavailableError when the database does not answer in time.
    """

    def __init__(self, *, store: KeyStore, per_minute: int, at_once: int) -> None:
        self._store = store
        self._per_minute = per_minute
        self._at_once = at_once

    async def create(self, wanted: NewKey, *, now: datetime) -> CreatedKey:
        """Makes a key."""
        made = make()
        key = await self._store.add(
            made,
            name=wanted.name,
            scopes=wanted.scopes,
            per_minute=wanted.per_minute or self._per_minute,
            at_once=wanted.at_once or self._at_once,
            expires_at=None if wanted.expires_days is None else now + timedelta(days=wanted.expires_days),
        )
        return CreatedKey(key=made.shown, created=KeyState.of(key, now=now))

    async def list(self, *, now: datetime) -> Keys:
        """All keys."""
        return Keys(keys=[KeyState.of(each, now=now) for each in await self._store.list()])

    async def revoke(self, key_id: str) -> bool:
        """Makes the key open nothing any more; whether there is such a key."""
        return await self._store.revoke(key_id)
