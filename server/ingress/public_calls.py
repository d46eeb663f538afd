"""Calls without a key: who may have them, of what kind, and how often."""

from typing import Literal

from fastapi.requests import HTTPConnection

from server.auth.addresses import address_of, is_this_host
from server.auth.limits import Limits
from server.errors import Problem
from server.ingress.schemas import CreateSession

Public = Literal["this_host", "everyone", "nobody"]

# What anybody may say of a call: how they wait for it, and by what they speak.
FREE = {"wait", "ticket", "channel"}


class PublicCalls:
    """Refuses with a `Problem` what needs a key."""

    def __init__(self, *, who: Public, limits: Limits, per_address: int, per_minute: int, has_line: bool) -> None:
        self._who = who
        self._limits = limits
        self._per_address = per_address
        self._per_minute = per_minute
        self._has_line = has_line

    def open_to(self, connection: HTTPConnection) -> bool:
        """Whether whoever this is may start calls."""
        return self._who == "everyone" or (self._who == "this_host" and is_this_host(connection))

    async def check(self, wanted: CreateSession, connection: HTTPConnection) -> None:
        """Lets this call be started, and counts it."""
        if not self.open_to(connection):
            raise Problem(
                401,
                "A key is needed to start a call",
                "Programs send an API key with the scope sessions:write (JARVIS_PUBLIC_CALLS says who needs none); "
                "people open the call link that they were given.",
            )
        if chosen := sorted(wanted.model_dump(exclude=FREE, exclude_defaults=True)):
            raise Problem(
                403,
                "The scope sessions:write is missing",
                f"Without a key a call is as the server's settings say; leave out {', '.join(chosen)}, or send a key.",
            )
        address = address_of(connection)
        if wanted.ticket is not None and self._has_line:
            # It asks how far the line is; its place in it was counted.
            await self._limits.address(address)
            return
        # One after the other: an address that is over its own limit uses up nobody else's.
        await self._limits.count("calls", address, per_minute=self._per_address, whose="for calls of your address")
        await self._limits.count("calls", "all", per_minute=self._per_minute, whose="for calls without a key")
