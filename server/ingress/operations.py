"""What an operator sees of the calls and the servers of this host, and the tasks that keep it true."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from loguru import logger

from server.ingress.admission import HostMeter
from server.ingress.launcher import Launcher
from server.ingress.lines import Lines
from server.ingress.mirror import Mirror
from server.ingress.registry import Registry, RegistryGoneError, ServerRecord
from server.ingress.schemas import LiveCall, LiveServer, Overview
from server.ingress.sessions import Sessions
from server.ingress.takeover import Takeover

CANCEL_AGAIN_SECS = 0.5


class Operations:
    """This server among the others of its host."""

    def __init__(
        self,
        *,
        sessions: Sessions,
        launcher: Launcher,
        registry: Registry,
        mirror: Mirror,
        lines: Lines,
        meter: HostMeter,
        address: str,
    ):
        self._sessions = sessions
        self._launcher = launcher
        self._registry = registry
        self._mirror = mirror
        self._lines = lines
        self._meter = meter
        self._address = address
        self._takeover = Takeover(launcher=launcher, registry=registry, sessions=sessions)
        self._started_at = datetime.now(UTC)
        self._open = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Measures the host, mirrors the calls, takes over lost ones."""
        await self._takeover.sweep()
        works = {
            "meter": self._meter.run(),
            "mirror": self._mirror.run(live=lambda: self._sessions.live, server=self.record),
            "takeover": self._takeover.run(),
        }
        tasks = [asyncio.create_task(work, name=name) for name, work in works.items()]
        for task in tasks:
            task.add_done_callback(_tell_failure)
        try:
            yield
        finally:
            await _cancelled(tasks)
            await self._mirror.flush()
            await self._registry.retract(self._sessions.server_id)

    async def opened(self) -> None:
        """The server listens, and tells so whoever drains at its address."""
        self._open = True
        await self._registry.announce(self.record())

    def record(self) -> ServerRecord:
        """This server, as the others see it."""
        return ServerRecord(
            id=self._sessions.server_id,
            address=self._address,
            state="draining" if self._sessions.draining.is_set() else "ready" if self._open else "starting",
            sessions=len(self._sessions.live),
            warm_bots=self._launcher.warm,
            started_at=self._started_at,
        )

    async def overview(self) -> Overview:
        """The calls and servers of this host; only this server's where Redis is away."""
        own = [session.record() for session in self._sessions.live]
        me = self.record()
        try:
            sessions, servers = await asyncio.gather(self._registry.sessions(), self._registry.servers())
        except RegistryGoneError:
            sessions, servers = [], []
        others = [record for record in sessions if record.server != me.id]
        calls = sorted([*own, *others], key=lambda record: record.created_at)
        known = [me, *(server for server in servers if server.id != me.id)]
        return Overview(
            sessions=[LiveCall.of(record) for record in calls],
            servers=[LiveServer(**server.model_dump(), answering=server.id == me.id) for server in known],
            capacity=self._lines.capacity(live=self._sessions.live, now_mono=time.monotonic()),
            waiting=await self._lines.waiting(),
        )

    async def succeeded(self) -> bool:
        """Whether another server listens at this one's address and takes calls."""
        try:
            servers = await self._registry.servers()
        except RegistryGoneError:
            return False
        me = self._sessions.server_id
        return any(s.address == self._address and s.state == "ready" and s.id != me for s in servers)


async def _cancelled(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Returns when all have ended; redis-py's own timeouts swallow a cancellation now and then, so it is repeated."""
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=CANCEL_AGAIN_SECS)


def _tell_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("the {} of the calls failed: {}", task.get_name(), type(error).__name__)
