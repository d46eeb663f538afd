"""Keeps the registry in line with the calls of this server, off the path of any caller.

What changed is written within milliseconds where Redis answers; everything is written again every two seconds, so that
leases hold and a Redis that lost its data is filled again.
"""

import asyncio
from collections.abc import Callable, Sequence

from server.ingress.live import LiveSession
from server.ingress.registry import Registry, RegistryGoneError, ServerRecord, SessionRecord

RENEW_SECS = 2.0


class Mirror:
    """Writes what changed, and knows how many calls the other servers of this host have."""

    def __init__(self, *, registry: Registry):
        self._registry = registry
        self._changed: dict[str, LiveSession] = {}
        self._told: dict[str, LiveSession] = {}
        self._ended: list[SessionRecord] = []
        self._wake = asyncio.Event()
        self._stale = False
        self.elsewhere = 0
        """Calls of the other servers of this host, as last seen."""

    def touch(self, session: LiveSession) -> None:
        """The session's state changed."""
        self._changed[session.id] = session
        self._wake.set()

    def tell(self, session: LiveSession) -> None:
        """More was said."""
        self._told[session.id] = session
        self._wake.set()

    def ended(self, record: SessionRecord) -> None:
        """The session is over."""
        self._changed.pop(record.id, None)
        self._told.pop(record.id, None)
        self._ended.append(record)
        self._wake.set()

    def wake(self) -> None:
        """The server's own state changed."""
        self._stale = True
        self._wake.set()

    async def run(self, *, live: Callable[[], Sequence[LiveSession]], server: Callable[[], ServerRecord]) -> None:
        """Writes until cancelled."""
        while True:
            await self.renew(live=live(), server=server())
            deadline = asyncio.get_running_loop().time() + RENEW_SECS
            while (left_secs := deadline - asyncio.get_running_loop().time()) > 0:
                try:
                    async with asyncio.timeout(left_secs):  # wait_for may lose a cancellation
                        await self._wake.wait()
                except TimeoutError:
                    break
                await self.flush()
                if self._stale:
                    break

    async def renew(self, *, live: Sequence[LiveSession], server: ServerRecord) -> None:
        """Writes everything, and looks at what the others have."""
        self._stale = False
        await self._registry.announce(server)
        await self._registry.save([session.record() for session in live])
        await self._registry.keep_stories([(session.id, session.story) for session in live])
        try:
            others = [record for record in await self._registry.sessions() if record.server != server.id]
        except RegistryGoneError:
            return
        self.elsewhere = len(others)

    async def flush(self) -> None:
        """Writes what changed."""
        self._wake.clear()
        changed, self._changed = self._changed, {}
        told, self._told = self._told, {}
        ended, self._ended = self._ended, []
        await self._registry.save([session.record() for session in changed.values()])
        for session in told.values():
            await self._registry.tell(session.id, session.story)
        for record in ended:
            await self._registry.ended(record)
