"""API keys: `jk_<id>_<secret>`, of which the id may be known and the secret is kept as its SHA-256 only.

The secret is 256 random bits, so that a plain hash of it is as hard to turn back as a slow one.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from server.auth.principal import Principal, Scope

ID_PATTERN = r"^[0-9a-f]{12}$"
_KEY = re.compile(r"jk_([0-9a-f]{12})_([0-9a-f]{64})")

State = Literal["good", "expired", "revoked"]


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is kept of a key."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    per_minute: int
    at_once: int
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    hash: bytes = field(repr=False)

    def verdict(self, secret: str, *, now: datetime) -> State | Literal["wrong"]:
        """Whether this secret opens anything now; takes as long for any wrong one."""
        return self.state(now=now) if hmac.compare_digest(hash_of(secret), self.hash) else "wrong"

    def state(self, *, now: datetime) -> State:
        """Whether its secret still opens anything."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "good"

    @property
    def principal(self) -> Principal:
        """Its holder."""
        return Principal(id=self.id, name=self.name, scopes=frozenset(self.scopes))


@dataclass(frozen=True, slots=True)
class Made:
    """A new key's id, its secret, and the whole of it, which is shown once."""

    id: str
    secret: str = field(repr=False)

    @property
    def shown(self) -> str:
        """What its holder sends."""
        return f"jk_{self.id}_{self.secret}"


def make() -> Made:
    """A key that nobody has."""
    return Made(secrets.token_hex(6), secrets.token_hex(32))


def parts_of(shown: str) -> tuple[str, str] | None:
    """(id, secret) of what was sent; None where it has not the form of a key."""
    found = _KEY.fullmatch(shown)
    return None if found is None else (found[1], found[2])


def hash_of(secret: str) -> bytes:
    """What is kept of the secret."""
    return hashlib.sha256(secret.encode()).digest()
