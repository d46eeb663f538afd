"""Keys and limits for tests: keys in memory, with a database that is there or not; limits that refuse nothing."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

from knowledge.database import READ_TIMEOUT_SECS
from knowledge.errors import KnowledgeUnavailableError
from server.auth.guard import Guard
from server.auth.key_ring import KeyRing
from server.auth.key_store import KeyStore
from server.auth.keys import ApiKey, Made, hash_of
from server.auth.limits import Limits
from server.auth.operator import OperatorKey
from server.auth.principal import Scope


class FakeKeyStore(KeyStore):
    """Keeps keys in memory, and the ids that were looked up and noted."""

    def __init__(self, *keys: ApiKey) -> None:
        self.keys = {key.id: key for key in keys}
        self.away = False
        self.found: list[str] = []
        self.noted: list[str] = []

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
        self._answer()
        self.keys[made.id] = ApiKey(
            id=made.id,
            name=name,
            scopes=tuple(scopes),
            per_minute=per_minute,
            at_once=at_once,
            created_at=datetime.now(UTC),
            expires_at=expires_at,
            last_used_at=None,
            revoked_at=None,
            hash=hash_of(made.secret),
        )
        return self.keys[made.id]

    async def list(self) -> list[ApiKey]:
        """All of them."""
        self._answer()
        return [*self.keys.values()]

    async def find(self, key_id: str, *, timeout_secs: float = READ_TIMEOUT_SECS) -> ApiKey | None:
        """The key of this id."""
        self._answer()
        self.found.append(key_id)
        return self.keys.get(key_id)

    async def revoke(self, key_id: str) -> bool:
        """Makes the key open nothing any more."""
        self._answer()
        if key_id not in self.keys:
            return False
        self.keys[key_id] = replace(self.keys[key_id], revoked_at=datetime.now(UTC))
        return True

    async def note_used(self, key_id: str) -> None:
        """The key was used just now."""
        self._answer()
        self.noted.append(key_id)

    def _answer(self) -> None:
        if self.away:
            raise KnowledgeUnavailableError("The database does not answer.")


class FakeLimits(Limits):
    """Refuses nothing; keeps what was counted, and which keys have a request open."""

    def __init__(self) -> None:
        self.counted: list[tuple[str, str]] = []
        self.open: list[str] = []

    @asynccontextmanager
    async def place(self, key: ApiKey) -> AsyncIterator[None]:
        """Keeps the key among those that are open."""
        self.counted.append(("key", key.id))
        self.open.append(key.id)
        try:
            yield
        finally:
            self.open.remove(key.id)

    async def address(self, address: str) -> None:
        """Counts a request of somebody without a key."""
        self.counted.append(("address", address))

    async def count(self, kind: str, of: str, *, per_minute: int, whose: str) -> None:
        """Counts one of a kind."""
        self.counted.append((kind, of))


def fake_guard(operator_key: str, *keys: ApiKey, limits: Limits | None = None) -> Guard:
    """A guard that knows these keys."""
    return Guard(operator=OperatorKey(operator_key), keys=KeyRing(FakeKeyStore(*keys)), limits=limits or FakeLimits())
