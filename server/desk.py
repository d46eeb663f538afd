"""The process that answers single requests, and whether it does."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any, Protocol, TypeVar

from loguru import logger

from bot.budget import Level
from bot.desk.client import DeskClient
from bot.desk.entry import main as desk_main
from bot.desk.errors import DeskBusyError, DeskError, DeskRequestError, DeskUnavailableError
from bot.providers.provider import REVEAL
from bot.settings import BotSettings
from server.errors import Problem
from server.forks import Fork, ForkedProcess
from server.settings import Settings

T = TypeVar("T")
ASK_EVERY_SECS = 2.0
RETRY_SECS = 1
# So often in a row it may not answer, before it is ended and started again.
PATIENCE = 5


def desk_process(settings: Settings, *, fork: Fork) -> ForkedProcess:
    """The process, not started yet; it is forked as bots are."""
    bot = settings.bot_settings().model_dump(mode="json", context=REVEAL)
    wanted = {"socket": str(settings.desk_socket), "bot": bot, "log": settings.log("desk").model_dump()}
    return ForkedProcess("desk", fork=fork, target=desk_main, settings=wanted)


async def look_ahead(client: DeskClient, *, bot: BotSettings, redis_url: str) -> None:
    """Has the desk ask each vendor once and fill the cache of voices, and waits for neither."""
    try:
        if bot.has_vendors:
            await client.check()
        if bot.is_cached:
            await client.warm(redis_url)
    except DeskError as error:
        logger.warning("nobody looked ahead to the first calls: {}", error)


def problem_of(error: DeskError) -> Problem:
    """The desk's error as an answer."""
    match error:
        case DeskRequestError():
            return Problem(error.status, error.title, str(error))
        case DeskBusyError():
            return Problem(503, "Too many requests at once", str(error), retry_after_secs=RETRY_SECS)
        case _:
            return Problem(503, "The services can't answer now", str(error), retry_after_secs=RETRY_SECS)


async def with_problems(parts: AsyncGenerator[T]) -> AsyncGenerator[T]:
    """The same parts; the desk's errors are problems."""
    try:
        async with aclosing(parts):
            async for part in parts:
                yield part
    except DeskError as error:
        raise problem_of(error) from error


class Ledger(Protocol):
    """Where money is added up."""

    @property
    def level(self) -> Level:
        """Who may still be asked today."""
        ...

    def enter(self, event: Mapping[str, Any]) -> None:
        """Adds a `usage` (bot/usage.py)."""
        ...


class Desk:
    """What routes ask, and what is known of it without asking."""

    def __init__(self, *, client: DeskClient, process: ForkedProcess) -> None:
        self.client = client
        self._process = process
        self._able: dict[str, bool] = {}

    def able(self, service: str) -> bool:
        """Whether the service, "asr", "llm" or "tts", could be asked when the desk was seen last, seconds ago."""
        return self._process.pid is not None and self._able.get(service, False)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Watch over the process meanwhile."""
        watching = asyncio.create_task(self._watch(), name="watch-desk-answers")
        try:
            yield
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching

    @asynccontextmanager
    async def accounted(self, ledger: Ledger) -> AsyncIterator[None]:
        """Let requests cost no more than the day leaves, and enter what they cost meanwhile."""
        accounting = asyncio.create_task(self._account(ledger), name="account-desk")
        try:
            yield
        finally:
            accounting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await accounting

    async def _account(self, ledger: Ledger) -> None:
        while True:
            # What a desk that died did not tell is lost.
            with contextlib.suppress(DeskError):
                for event in await self.client.budget(ledger.level):
                    ledger.enter(event)
            await asyncio.sleep(ASK_EVERY_SECS)

    async def _watch(self) -> None:
        missed = 0
        while True:
            try:
                self._able = await self.client.health()
                missed = 0
            except DeskUnavailableError:
                self._able = {}
                missed = missed + 1 if self._process.pid is not None else 0
            if missed >= PATIENCE:
                logger.error("the desk does not answer; ending it")
                self._process.kill()
                missed = 0
            await asyncio.sleep(ASK_EVERY_SECS)
