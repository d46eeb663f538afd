"""What a session needs of whoever runs the bots: the same for bots of this host and of others.

A bot is asked by the requests of its control socket (`bot/process.py`), wherever it is.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bot.reports import Message
from bot.settings import BotSettings


class LauncherError(Exception):
    """No bot can be had; the message says why."""


class BotGoneError(Exception):
    """The bot died or does not answer."""


class BotRefusedError(Exception):
    """The bot answered that it won't; `status` is its HTTP status, the message its reason."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Task:
    """What a bot is given to do: a session, new or gone on with.

    `call` is the server's own record of it, which the bot keeps; `story` what was said so far, None in a new call.
    """

    session_id: str
    settings: BotSettings
    call: Mapping[str, Any]
    story: Sequence[Message] | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """The end of a websocket: its close code (RFC 6455; 1006 where it broke) and its reason, 123 bytes at most."""

    code: int
    reason: str = ""


class AudioLine(Protocol):
    """A caller's websocket at the bot's end."""

    async def receive(self) -> bytes | str | Closed:
        """The bot's next message, or its end."""
        ...

    async def send(self, message: bytes | str) -> None:
        """Hands a message to the bot; raises `BotGoneError` where it takes none for seconds."""
        ...

    async def close(self, closed: Closed) -> None:
        """Ends it, if it has not ended."""
        ...


class Bot(Protocol):
    """A bot that has a session."""

    id: str

    async def request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """One control request; raises `BotRefusedError` or `BotGoneError`."""
        ...

    async def audio(self, pc_id: str) -> AudioLine:
        """The websocket of the caller who was answered so; raises `BotRefusedError` or `BotGoneError`."""
        ...

    async def ping(self) -> None:
        """Returns within a second where the bot answers; raises `BotGoneError`."""
        ...

    def events(self) -> AsyncIterator[dict[str, Any]]:
        """What happens in the call, from its beginning until its end.

        Raises `BotGoneError` where the bot dies or falls silent, `BotRefusedError` (409) where another server listens.
        """
        ...

    async def stop(self) -> None:
        """Waits for the bot's own end for a moment, then makes it end."""
        ...

    async def kill(self) -> None:
        """Ends the bot at once."""
        ...

    async def detach(self) -> None:
        """Lets go of the bot, which goes on."""
        ...


@dataclass(frozen=True, slots=True)
class Stray:
    """A bot in a call that no server follows, as it says of itself."""

    bot: Bot
    session_id: str
    call: Mapping[str, Any]


class Launcher(Protocol):
    """Gives a session its bot."""

    async def acquire(self, task: Task) -> Bot:
        """A bot that has taken the session; raises `LauncherError`."""
        ...

    async def attach(self, bot_id: str) -> Bot | None:
        """The bot of that id, whoever started it; None where there is none."""
        ...

    async def strays(self, *, known: frozenset[str]) -> list[Stray]:
        """The bots in a call that no server follows, those whose ids are `known` left out."""
        ...

    @property
    def warm(self) -> int:
        """How many bots wait for a call."""
        ...
