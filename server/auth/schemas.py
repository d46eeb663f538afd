"""What the routes of keys take and give."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from server.auth.keys import ID_PATTERN, ApiKey
from server.auth.principal import Scope

MAX_EXPIRES_DAYS = 3650
MAX_PER_MINUTE = 100_000
MAX_AT_ONCE = 1000

KeyName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
KeyId = Annotated[str, StringConstraints(pattern=ID_PATTERN)]


class NewKey(BaseModel):
    """A key that is wanted."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "website", "scopes": ["sessions:write"], "expires_days": 90}]},
    )

    name: KeyName
    scopes: list[Scope] = Field(min_length=1, max_length=20, description="`admin` is all of them")
    expires_days: int | None = Field(default=None, ge=1, le=MAX_EXPIRES_DAYS, description="never, where not given")
    per_minute: int | None = Field(
        default=None, ge=1, le=MAX_PER_MINUTE, description="requests a minute; the setting's where not given"
    )
    at_once: int | None = Field(
        default=None, ge=1, le=MAX_AT_ONCE, description="requests at once; the setting's where not given"
    )


class KeyState(BaseModel):
    """What may be known of a key."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "5f0c2b7e91aa",
                    "name": "website",
                    "scopes": ["sessions:write"],
                    "state": "good",
                    "per_minute": 300,
                    "at_once": 10,
                    "created_at": "2026-03-01T09:00:00Z",
                    "expires_at": None,
                    "last_used_at": "2026-03-02T10:30:00Z",
                    "revoked_at": None,
                }
            ]
        }
    )

    id: str
    name: str
    scopes: list[Scope]
    state: Literal["good", "expired", "revoked"]
    per_minute: int
    at_once: int
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = Field(description="to the minute")
    revoked_at: datetime | None

    @classmethod
    def of(cls, key: ApiKey, *, now: datetime) -> "KeyState":
        """The key, as it stands now."""
        kept = {name: getattr(key, name) for name in cls.model_fields if name != "state"}
        return cls(**kept | {"scopes": list(key.scopes), "state": key.state(now=now)})


class CreatedKey(BaseModel):
    """A key, with what its holder sends; that is shown this once."""

    key: str = Field(description="goes into `Authorization: Bearer …`", examples=["jk_5f0c2b7e91aa_…"])
    created: KeyState


class Keys(BaseModel):
    """All keys, the oldest first."""

    keys: list[KeyState]
