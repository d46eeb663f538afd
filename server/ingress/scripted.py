"""Bots that do what a test says: they fail on a request that was not expected, and on one that never came."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from bot.settings import BotSettings
from server.ingress.launcher import LauncherError


class ScriptedBot:
    """Answers requests from a script of (method, path, answer or exception), in order."""

    def __init__(self, bot_id: str, *script: tuple[str, str, dict[str, Any] | Exception]):
        self.id = bot_id
        self._script = list(script)
        self._events: asyncio.Queue[dict[str, Any] | Exception | None] = asyncio.Queue()
        self.stopped = False

    def happens(self, *events: dict[str, Any] | Exception | None) -> None:
        """What the bot reports next; None is the end of its reports."""
        for event in events:
            self._events.put_nowait(event)

    async def request(self, method: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The next answer of the script."""
        if not self._script or self._script[0][:2] != (method, path):
            raise AssertionError(f"{method} {path} was not expected")
        answer = self._script.pop(0)[2]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """The reports, as they happen."""
        while (event := await self._events.get()) is not None:
            if isinstance(event, Exception):
                raise event
            yield event

    async def stop(self) -> None:
        """Ends the reports."""
        self.stopped = True
        self.happens(None)

    def assert_done(self) -> None:
        """Fails where a request of the script never came."""
        assert self._script == [], f"never asked: {self._script}"


class ScriptedLauncher:
    """Hands out its bots, or raises its errors, in order."""

    def __init__(self, *bots: ScriptedBot | LauncherError):
        self._bots = list(bots)

    async def acquire(self, *, session_id: str, settings: BotSettings) -> ScriptedBot:
        """The next bot."""
        if not self._bots:
            raise AssertionError("no bot was expected to be asked for")
        bot = self._bots.pop(0)
        if isinstance(bot, LauncherError):
            raise bot
        return bot
