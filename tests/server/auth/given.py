"""Keys that tests begin with."""

from datetime import UTC, datetime, timedelta
from typing import Any

from server.auth.keys import ApiKey, hash_of
from server.auth.principal import Scope

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = "5" * 64


def api_key(*scopes: Scope, id: str = "aaaaaaaaaaaa", **changes: Any) -> ApiKey:
    """A key whose secret is `SECRET`, and which is good unless a change says otherwise."""
    fields: dict[str, Any] = {
        "name": "shop",
        "per_minute": 100,
        "at_once": 10,
        "created_at": NOW - timedelta(days=1),
        "expires_at": None,
        "last_used_at": None,
        "revoked_at": None,
        "hash": hash_of(SECRET),
    }
    return ApiKey(**fields | changes, id=id, scopes=scopes or ("admin",))


def shown(key: ApiKey, secret: str = SECRET) -> str:
    """What its holder sends."""
    return f"jk_{key.id}_{secret}"
