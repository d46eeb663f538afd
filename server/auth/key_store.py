"""The keys in Postgres."""

from collections.abc import Sequence
from datetime import datetime

from knowledge.database import READ_TIMEOUT_SECS, Database
from server.auth.keys import ApiKey, Made, hash_of
from server.auth.principal import Scope


class KeyStore:
    """Keeps keys; every method raises KnowledgeUnavailableError when the database does not answer in time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self,
        made: Made,
        *,
        name: str,
        scopes: Sequence[Scope],
        per_minute: int,
        at_once: int,
        expires_at: datetime | None,
    ) -> ApiKey:
        """Keeps a new key."""
        async with self._database.transaction() as statements:
            (row,) = await statements.run(
                "add_key",
                id=made.id,
                name=name,
                hash=hash_of(made.secret),
                scopes=sorted(set(scopes)),
                per_minute=per_minute,
                at_once=at_once,
                expires_at=expires_at,
            )
        return _key(row)

    async def list(self) -> list[ApiKey]:
        """All of them, the oldest first, those that open nothing any more as well."""
        return [_key(row) for row in await self._database.read("keys")]

    async def find(self, key_id: str, *, timeout_secs: float = READ_TIMEOUT_SECS) -> ApiKey | None:
        """The key of this id."""
        rows = await self._database.read("key", timeout_secs=timeout_secs, id=key_id)
        return _key(rows[0]) if rows else None

    async def revoke(self, key_id: str) -> bool:
        """Makes the key open nothing any more; whether there is such a key."""
        async with self._database.transaction() as statements:
            return bool(await statements.run("revoke_key", id=key_id))

    async def note_used(self, key_id: str) -> None:
        """The key was used just now."""
        async with self._database.transaction() as statements:
            await statements.run("note_key_used", id=key_id)


def _key(row: dict) -> ApiKey:
    return ApiKey(**row | {"scopes": tuple(row["scopes"]), "hash": bytes(row["hash"])})
