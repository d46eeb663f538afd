"""Who runs the bots. Only this file knows that a bot is a process of this host.

A bot is forked from a preloaded parent (`multiprocessing`'s forkserver, which has no thread and no event loop), waits
warm, and serves one session over a control socket of its own; `bot/process.py` has the other end.
"""

import asyncio
import contextlib
import json
import multiprocessing
import os
import secrets
import signal
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import psutil
from loguru import logger

from bot.entry import main as bot_main
from bot.providers.llm import REVEAL
from bot.settings import BotSettings
from server.processes import ONE_THREAD, QUIET

START_SECS = 30.0
CONTROL_SECS = 10.0
SILENT_SECS = 5.0
END_SECS = 5.0
TERM_SECS = 3.0
MAX_BACKOFF_SECS = 30.0


class LauncherError(Exception):
    """No bot can be had; the message says why."""


class OutOfMemoryError(LauncherError):
    """The host has no memory for one more bot."""


class BotGoneError(Exception):
    """The bot died or does not answer."""


class BotRefusedError(Exception):
    """The bot answered that it won't; `status` is its HTTP status, the message its reason."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


class Bot(Protocol):
    """A bot that has a session."""

    id: str

    async def request(self, method: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """One control request; raises `BotRefusedError` or `BotGoneError`."""
        ...

    def events(self) -> AsyncIterator[dict[str, Any]]:
        """What happens in the call, until the bot is gone."""
        ...

    async def stop(self) -> None:
        """Waits for the bot's own end for a moment, then TERM, then KILL."""
        ...


class Launcher(Protocol):
    """Gives a session its bot."""

    async def acquire(self, *, session_id: str, settings: BotSettings) -> Bot:
        """A bot that has taken the session; raises `LauncherError`."""
        ...


class LocalBot:
    """A bot process of this host."""

    def __init__(self, *, process: BaseProcess, socket_path: Path):
        self.id = socket_path.stem
        self._process = process
        self._socket_path = socket_path
        self._ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(process.sentinel, self._on_end)
        self._http = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(str(socket_path)),
            base_url="http://bot",
            timeout=aiohttp.ClientTimeout(total=CONTROL_SECS),
        )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid or 0

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.is_alive()

    async def request(self, method: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """One control request; raises `BotRefusedError` or `BotGoneError`."""
        try:
            async with self._http.request(method, path, json=body) as response:
                answer = await response.json() if response.content_type == "application/json" else {}
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise BotGoneError(f"bot {self.id} does not answer") from error
        if response.status >= 400:
            raise BotRefusedError(response.status, str(answer.get("error", "refused")))
        return answer

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """What happens in the call; ends with the bot. A bot that is silent for 5 s is stalled: `BotGoneError`."""
        timeout = aiohttp.ClientTimeout(total=None, sock_read=SILENT_SECS)
        try:
            async with self._http.get("/events", timeout=timeout) as response:
                async for line in response.content:
                    yield json.loads(line)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise BotGoneError(f"bot {self.id} went silent") from error

    async def wait_ready(self) -> None:
        """Returns when the control socket answers; raises `LauncherError` when it does not in time."""
        deadline = time.monotonic() + START_SECS
        while time.monotonic() < deadline and self.alive:
            if self._socket_path.exists():
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_unix_connection(str(self._socket_path))
                    writer.close()
                    return
            await asyncio.sleep(0.005)
        raise LauncherError(f"A bot process did not start (exit code {self._process.exitcode}).")

    async def stop(self) -> None:
        """Waits for the bot's own end for a moment, then TERM, then KILL; no zombie and no socket stays."""
        for number, patience in ((None, END_SECS), (signal.SIGTERM, TERM_SECS), (signal.SIGKILL, TERM_SECS)):
            if not self.alive:
                break
            if number is not None:
                logger.warning("bot {} did not end; sending {}", self.id, number.name)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.pid, number)
            await self._wait(patience)
        await self._http.close()
        self._socket_path.unlink(missing_ok=True)

    async def kill(self) -> None:
        """Ends the process at once."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        await self.stop()

    async def _wait(self, patience: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), patience)

    def _on_end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._process.sentinel)
        self._ended.set()


class LocalLauncher:
    """Keeps warm bots and hands them out."""

    def __init__(self, *, sockets_dir: Path, preload: Sequence[str], warm_bots: int, bot_memory_mb: int):
        self._sockets_dir = sockets_dir
        self._preload = preload
        self._warm_bots = warm_bots
        self._bot_memory_mb = bot_memory_mb
        self._context = multiprocessing.get_context("forkserver")
        self._spares: list[LocalBot] = []
        self._watches: dict[str, asyncio.Task[None]] = {}
        self._refill: asyncio.Task[None] | None = None
        self._forking = asyncio.Lock()
        self._closed = False

    async def start(self) -> None:
        """Starts the preloaded parent and the first warm bots; raises `LauncherError` when none comes up."""
        os.environ.update(ONE_THREAD | QUIET)
        self._context.set_forkserver_preload([*self._preload, "bot.preload"])
        for path in self._sockets_dir.glob("*.sock"):
            if not await _answers(path):
                path.unlink(missing_ok=True)
        while len(self._spares) < max(1, self._warm_bots):
            self._keep(await self._spawn())

    async def acquire(self, *, session_id: str, settings: BotSettings) -> LocalBot:
        """A warm bot, or a new one where none waits; raises `LauncherError`."""
        self._check_memory()
        while True:
            bot = self._take_spare() or await self._spawn()
            try:
                secret = settings.model_dump(mode="json", context=REVEAL)
                await bot.request("POST", "/session", {"session_id": session_id, "settings": secret})
            except (BotGoneError, BotRefusedError):
                logger.error("a waiting bot did not take its session; trying another")
                await bot.kill()
                continue
            self._start_refill()
            return bot

    async def close(self) -> None:
        """Ends the warm bots; bots in a call are their sessions' to end."""
        self._closed = True
        if self._refill is not None:
            self._refill.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._refill
        spares, self._spares = self._spares, []
        for watch in self._watches.values():
            watch.cancel()
        await asyncio.gather(*(bot.kill() for bot in spares))

    def _check_memory(self) -> None:
        available_mb = psutil.virtual_memory().available // 2**20
        if available_mb < self._bot_memory_mb:
            raise OutOfMemoryError(f"{available_mb} MB of memory are free, a bot needs {self._bot_memory_mb} MB.")

    def _take_spare(self) -> LocalBot | None:
        while self._spares:
            bot = self._spares.pop(0)
            self._watches.pop(bot.id).cancel()
            if bot.alive:
                return bot
        return None

    async def _spawn(self) -> LocalBot:
        socket_path = self._sockets_dir / f"{secrets.token_hex(6)}.sock"
        process = self._context.Process(target=bot_main, args=(str(socket_path),), daemon=True, name="jarvis-bot")
        async with self._forking:
            forking = asyncio.create_task(asyncio.to_thread(process.start))
            try:
                await asyncio.shield(forking)
            except asyncio.CancelledError:
                await forking
                process.kill()
                raise
        bot = LocalBot(process=process, socket_path=socket_path)
        try:
            await bot.wait_ready()
        except BaseException:
            await bot.kill()
            raise
        return bot

    def _keep(self, bot: LocalBot) -> None:
        self._spares.append(bot)
        self._watches[bot.id] = asyncio.create_task(self._watch(bot), name=f"warm-{bot.id}")

    async def _watch(self, bot: LocalBot) -> None:
        """Follows a waiting bot's heartbeat, and replaces it when it dies or stalls."""
        with contextlib.suppress(BotGoneError):
            async for _ in bot.events():
                pass
        if bot in self._spares:
            self._spares.remove(bot)
            self._watches.pop(bot.id, None)
            logger.error("waiting bot {} died; replacing it", bot.id)
            await bot.kill()
            self._start_refill()

    def _start_refill(self) -> None:
        if not self._closed and (self._refill is None or self._refill.done()):
            self._refill = asyncio.create_task(self._fill(), name="refill")

    async def _fill(self) -> None:
        backoff = 0.1
        while len(self._spares) < self._warm_bots:
            try:
                self._check_memory()
                self._keep(await self._spawn())
                backoff = 0.1
            except LauncherError as error:
                logger.error("no warm bot: {} Trying again in {} s", error, backoff)
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, MAX_BACKOFF_SECS)


async def _answers(path: Path) -> bool:
    try:
        _, writer = await asyncio.wait_for(asyncio.open_unix_connection(str(path)), 1.0)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
