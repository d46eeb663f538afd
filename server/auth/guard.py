"""What every request passes that shows a key or a token: who is it, and is it too much."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from fastapi.requests import HTTPConnection

from server.auth.addresses import address_of
from server.auth.key_ring import KeyRing, KeysAwayError
from server.auth.keys import ApiKey, parts_of
from server.auth.limits import Limits
from server.auth.operator import OperatorKey
from server.auth.principal import OPERATOR, Principal, Scope
from server.auth.problems import key_needed, key_refused, keys_away, scope_missing


class Guard:
    """Tells the holders of keys, and keeps them and everyone else to their limits; refuses with a `Problem`."""

    def __init__(self, *, operator: OperatorKey, keys: KeyRing, limits: Limits) -> None:
        self._operator = operator
        self._keys = keys
        self._limits = limits

    def knows(self, shown: str) -> bool:
        """Whether this is the operator's key or has the form of a key, rather than of a token."""
        return self._operator.matches(shown) or parts_of(shown) is not None

    @asynccontextmanager
    async def admitted(self, shown: str | None, connection: HTTPConnection) -> AsyncIterator[Principal]:
        """The holder of what is shown, whose request lasts as long as this."""
        if shown is None:
            raise key_needed()
        if self._operator.matches(shown):
            yield OPERATOR
            return
        key = await self._key(shown, connection)
        async with self._limits.place(key):
            yield key.principal

    def forget(self, key_id: str) -> None:
        """Has the key looked up again before it opens anything; it was changed."""
        self._keys.forget(key_id)

    async def count(self, connection: HTTPConnection) -> None:
        """Counts a request without a key against its address."""
        await self._limits.address(address_of(connection))

    async def _key(self, shown: str, connection: HTTPConnection) -> ApiKey:
        parts = parts_of(shown)
        if parts is None:
            raise key_refused(None)
        key_id, secret = parts
        now_mono = time.monotonic()
        try:
            key = await self._keys.find(key_id, now_mono=now_mono)
        except KeysAwayError as error:
            raise keys_away() from error
        state = "wrong" if key is None else key.verdict(secret, now=datetime.now(UTC))
        if key is None or state != "good":
            await self.count(connection)
            raise key_refused(None if state == "wrong" else state)
        self._keys.used(key_id, now_mono=now_mono)
        return key


def require(principal: Principal | None, scope: Scope) -> None:
    """Lets through who has the scope; None is somebody without a key."""
    if principal is None:
        raise key_needed()
    if not principal.may(scope):
        raise scope_missing(scope, principal)
