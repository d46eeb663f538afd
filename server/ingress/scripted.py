"""Bots that do what a test says: they fail on a request that was not expected, and on one that never came."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from server.ingress.launcher import BotGoneError, Closed, LauncherError, Stray, Task


class ScriptedAudioLine:
    """A bot's end of a websocket: it says what it is told to, and keeps what it hears."""

    def __init__(self, *says: bytes | str | Closed):
        self._says: asyncio.Queue[bytes | str | Closed] = asyncio.Queue()
        self.say(*says)
        self.heard: list[bytes | str] = []
        self.takes = asyncio.Event()
        self.takes.set()
        self.closed: Closed | None = None

    def say(self, *messages: bytes | str | Closed) -> None:
        """What it says next."""
        for message in messages:
            self._says.put_nowait(message)

    async def receive(self) -> bytes | str | Closed:
        """The next of what it says."""
        return await self._says.get()

    async def send(self, message: bytes | str) -> None:
        """Hears a message, once it takes any."""
        await self.takes.wait()
        self.heard.append(message)

    async def close(self, closed: Closed) -> None:
        """Keeps why."""
        self.closed = closed


class ScriptedBot:
    """Answers requests from a script of (method, path, answer or exception), in order."""

    def __init__(self, bot_id: str, *script: tuple[str, str, dict[str, Any] | Exception]):
        self.id = bot_id
        self._script = list(script)
        self._events: asyncio.Queue[dict[str, Any] | Exception | None] = asyncio.Queue()
        self.asked: list[Mapping[str, Any]] = []
        self.alive = True
        self.stopped = False
        self.killed = False
        self.detached = 0

    def happens(self, *events: dict[str, Any] | Exception | None) -> None:
        """What the bot reports next; None is the end of its reports."""
        for event in events:
            self._events.put_nowait(event)

    def dies(self) -> None:
        """Answers nothing any more."""
        self.alive = False
        self.happens(BotGoneError("dead"))

    async def request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The next answer of the script."""
        if not self.alive:
            raise BotGoneError("dead")
        if not self._script or self._script[0][:2] != (method, path):
            raise AssertionError(f"{method} {path} was not expected")
        answer = self._script.pop(0)[2]
        self.asked.append(body or {})
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def audio(self, pc_id: str) -> ScriptedAudioLine:
        """The next answer of the script, which expects `GET /audio` with this pc_id."""
        answer = await self.request("GET", "/audio", {"pc_id": pc_id})
        return answer["line"]

    async def ping(self) -> None:
        """Answers while it is alive."""
        if not self.alive:
            raise BotGoneError("dead")

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

    async def kill(self) -> None:
        """Ends the bot."""
        self.killed = True
        self.dies()

    async def detach(self) -> None:
        """Lets go of the bot."""
        self.detached += 1

    def assert_done(self) -> None:
        """Fails where a request of the script never came."""
        assert self._script == [], f"never asked: {self._script}"


class ScriptedLauncher:
    """Hands out its bots, or raises its errors, in order; `others` are bots of other servers, `found` its strays."""

    def __init__(
        self,
        *bots: ScriptedBot | LauncherError,
        others: Mapping[str, ScriptedBot] | None = None,
        found: list[Stray] | None = None,
    ):
        self._bots = list(bots)
        self._others = others or {}
        self._found = found or []
        self.tasks: list[Task] = []

    @property
    def warm(self) -> int:
        """The bots that were not handed out yet."""
        return len(self._bots)

    async def acquire(self, task: Task) -> ScriptedBot:
        """The next bot."""
        if not self._bots:
            raise AssertionError("no bot was expected to be asked for")
        self.tasks.append(task)
        bot = self._bots.pop(0)
        if isinstance(bot, LauncherError):
            raise bot
        return bot

    async def attach(self, bot_id: str) -> ScriptedBot | None:
        """The bot of another server."""
        return self._others.get(bot_id)

    async def strays(self, *, known: frozenset[str]) -> list[Stray]:
        """The strays, once."""
        found, self._found = self._found, []
        return [stray for stray in found if stray.bot.id not in known]
