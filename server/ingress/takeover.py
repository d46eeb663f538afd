"""Calls that lost their server: found by their bots, or by what the registry keeps of them, and gone on with."""

import asyncio

from loguru import logger

from server.ingress.launcher import Launcher, LauncherError
from server.ingress.live import adopted
from server.ingress.registry import Registry, RegistryGoneError, SessionRecord
from server.ingress.sessions import Sessions

SWEEP_SECS = 1.0


class Takeover:
    """Looks for such calls again and again."""

    def __init__(self, *, launcher: Launcher, registry: Registry, sessions: Sessions):
        self._launcher = launcher
        self._registry = registry
        self._sessions = sessions

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            await self.sweep()
            await asyncio.sleep(SWEEP_SECS)

    async def sweep(self) -> None:
        """Takes over what nobody looks after; a draining server leaves it to the others."""
        if self._sessions.draining.is_set():
            return
        bots = frozenset(session.bot.id for session in self._sessions.live)
        for stray in await self._launcher.strays(known=bots):
            mine = {session.id: session.bot.id for session in self._sessions.live}
            if stray.session_id in mine:
                if stray.bot.id == mine[stray.session_id]:
                    await stray.bot.detach()  # its call began while bots were asked
                else:
                    await stray.bot.kill()  # replaced while it was thought dead
                continue
            log = logger.bind(session=stray.session_id)
            log.info("session {} lost its server; it goes on here", stray.session_id)
            session = adopted(stray.session_id, bot=stray.bot, call=stray.call, server=self._sessions.server_id)
            self._sessions.follow(session)
        for record in await self._lost({session.id for session in self._sessions.live}):
            await self._revive(record)

    async def _lost(self, mine: set[str]) -> list[SessionRecord]:
        """Calls in the registry whose server is gone and whose bot is as well."""
        try:
            records = [record for record in await self._registry.sessions() if record.id not in mine]
            servers = {server.id for server in await self._registry.servers()} if records else set()
        except RegistryGoneError:
            return []
        lost = []
        for record in records:
            if record.server not in servers and record.server != self._sessions.server_id:
                bot = None if record.bot is None else await self._launcher.attach(record.bot)
                if bot is None:
                    lost.append(record)
                else:
                    await bot.detach()
        return lost

    async def _revive(self, record: SessionRecord) -> None:
        """Gives the call a new bot that knows what was said."""
        server_id = self._sessions.server_id
        if record.connected_at is None or not await self._registry.claim(record.id, server_id=server_id):
            return
        log = logger.bind(session=record.id)
        try:
            story = await self._registry.story(record.id)
            await self._sessions.revive(record, story)
            log.info("session {} lost its server and its bot; it goes on here", record.id)
        except (LauncherError, RegistryGoneError) as error:
            log.error("session {} could not be gone on with: {}", record.id, type(error).__name__)
