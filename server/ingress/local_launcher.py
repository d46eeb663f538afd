"""Runs the bots as processes of this host: warm ones wait, forked from a preloaded parent; each serves one session.

The parent is `multiprocessing`'s forkserver, which has no thread and no event loop. A bot outlives the server that
started it while it has a call, and is found again by its socket; `bot/process.py` has the other end.
"""

import asyncio
import contextlib
import multiprocessing
import os
import secrets
import time
from collections.abc import Callable, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from loguru import logger

from bot.entry import main as bot_main
from bot.providers.provider import REVEAL
from knowledge.logs import LogSettings
from server.ingress.launcher import BotGoneError, BotRefusedError, LauncherError, Stray, Task
from server.ingress.local_bot import LocalBot, attached
from server.processes import ONE_THREAD, QUIET

START_SECS = 30.0
# A socket without a listener is a dead bot's, unless it was made just now.
NEW_SOCKET_SECS = 5.0
# A bot that dies sooner than this after it came up is as good as one that did not come up.
HEALTHY_SECS = 5.0
TRIES = 3
# The call that has just got its bot starts first: forking the next one takes the cores from it and from the others.
REST_SECS = 1.0
# A caller waits: a bot must be had by then.
ACQUIRE_SECS = 8.0
TAKE_SECS = 2.0
ASK_SECS = 1.0
FIRST_BACKOFF_SECS = 0.1
MAX_BACKOFF_SECS = 30.0


class LocalLauncher:
    """Keeps warm bots and hands them out."""

    def __init__(
        self, *, sockets_dir: Path, preload: Sequence[str], warm_bots: int, memory_limit_mb: int, log: LogSettings
    ):
        self._sockets_dir = sockets_dir
        self._preload = preload
        self._warm_bots = warm_bots
        self._memory_limit_mb = memory_limit_mb
        self._log = log
        self._context = multiprocessing.get_context("forkserver")
        self._spares: list[LocalBot] = []
        # Bots that are being given a call: a bot says whose it is before its server looks after it.
        self._handed: set[str] = set()
        self._watches: dict[str, asyncio.Task[None]] = {}
        self._refill: asyncio.Task[None] | None = None
        self._forking = asyncio.Lock()
        self._failures = 0
        self._closed = False
        self.died_waiting = 0
        """Bots that died or stalled while they waited for a call."""

    @property
    def warm(self) -> int:
        """How many bots wait for a call."""
        return sum(bot.alive for bot in self._spares)

    @property
    def waiting_pids(self) -> Sequence[int]:
        """The processes of the bots that wait for a call."""
        return [bot.pid for bot in self._spares if bot.alive]

    async def start(self) -> None:
        """Starts the preloaded parent and the first warm bots; raises `LauncherError` when none comes up."""
        os.environ.update(ONE_THREAD | QUIET)
        self._context.set_forkserver_preload(["bot.steady", *self._preload, "bot.preload"])
        for path in self._sockets_dir.glob("*.sock"):
            bot = await attached(path)
            if bot is not None:
                await bot.detach()
            elif _age_secs(path) > NEW_SOCKET_SECS:
                path.unlink(missing_ok=True)
        while len(self._spares) < max(1, self._warm_bots):
            self._keep(await self._spawn())

    async def acquire(self, task: Task) -> LocalBot:
        """A warm bot, or a new one where none waits; raises `LauncherError`."""
        body = {
            "session_id": task.session_id,
            "settings": task.settings.model_dump(mode="json", context=REVEAL),
            "call": dict(task.call),
            "story": None if task.story is None else list(task.story),
        }
        try:
            async with asyncio.timeout(ACQUIRE_SECS):
                for _ in range(TRIES):
                    bot = self._take_spare() or await self._spawn()
                    self._handed.add(bot.id)
                    try:
                        if await _takes(bot, body):
                            return bot
                    finally:
                        self._handed.discard(bot.id)
        except TimeoutError:
            raise LauncherError(f"No bot took the call within {ACQUIRE_SECS:.0f} s.") from None
        finally:
            self._start_refill()
        raise LauncherError(f"{TRIES} bots did not take the call.")

    async def attach(self, bot_id: str) -> LocalBot | None:
        """The bot of that id, whoever started it; None where there is none."""
        return await attached(self._sockets_dir / f"{bot_id}.sock")

    async def strays(self, *, known: frozenset[str]) -> list[Stray]:
        """The bots in a call that no server follows, those whose ids are `known` left out."""
        mine = known | {bot.id for bot in self._spares} | self._handed
        paths = [path for path in self._sockets_dir.glob("*.sock") if path.stem not in mine]
        found = await asyncio.gather(*(self._stray(path) for path in paths))
        # A bot may have been given a call while it was asked.
        return [stray for stray in found if stray is not None and stray.bot.id not in self._handed]

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

    async def _stray(self, path: Path) -> Stray | None:
        bot = await attached(path)
        if bot is None:
            return None
        try:
            said = await bot.request("GET", "/session", timeout_secs=ASK_SECS)
        except (BotGoneError, BotRefusedError):
            said = {}
        if said.get("session_id") and not said["owned"]:
            return Stray(bot, said["session_id"], said["call"])
        await bot.detach()
        return None

    def _take_spare(self) -> LocalBot | None:
        while self._spares:
            bot = self._spares.pop(0)
            self._watches.pop(bot.id).cancel()
            if bot.alive:
                return bot
        return None

    async def fork(self, target: Callable[..., None], *arguments: Any, name: str) -> BaseProcess:
        """A new process that has in its memory what all bots share; raises `LauncherError`."""
        process = self._context.Process(target=target, args=arguments, daemon=True, name=name)
        async with self._forking:
            forking = asyncio.create_task(asyncio.to_thread(process.start))
            try:
                await asyncio.shield(forking)
            except asyncio.CancelledError:
                await forking
                process.kill()
                raise
            except (OSError, EOFError) as error:
                raise LauncherError(f"No process could be forked ({type(error).__name__}).") from error
        return process

    async def _spawn(self) -> LocalBot:
        socket_path = self._sockets_dir / f"{secrets.token_hex(6)}.sock"
        process = await self.fork(bot_main, str(socket_path), self._memory_limit_mb, self._log, name="jarvis-bot")
        assert process.pid is not None
        bot = LocalBot(pid=process.pid, socket_path=socket_path)
        try:
            await _listens(socket_path, process)
        except BaseException:
            await bot.kill()
            raise
        return bot

    def _keep(self, bot: LocalBot) -> None:
        self._spares.append(bot)
        self._watches[bot.id] = asyncio.create_task(self._watch(bot), name=f"warm-{bot.id}")

    async def _watch(self, bot: LocalBot) -> None:
        """Follows a waiting bot's heartbeat, and replaces it when it dies or stalls."""
        began = time.monotonic()
        with contextlib.suppress(BotGoneError, BotRefusedError):
            async for _ in bot.events():
                pass
        if bot in self._spares:
            self._spares.remove(bot)
            self._watches.pop(bot.id, None)
            self._failures = self._failures + 1 if time.monotonic() - began < HEALTHY_SECS else 0
            self.died_waiting += 1
            logger.error("waiting bot {} died; replacing it", bot.id)
            await bot.kill()
            self._start_refill()

    def _start_refill(self) -> None:
        if not self._closed and (self._refill is None or self._refill.done()):
            self._refill = asyncio.create_task(self._fill(), name="refill")

    async def _fill(self) -> None:
        await asyncio.sleep(REST_SECS)
        while len(self._spares) < self._warm_bots:
            if self._failures:
                rest_secs = backoff_secs(self._failures)
                logger.error("{} warm bots died or did not start; trying again in {} s", self._failures, rest_secs)
                await asyncio.sleep(rest_secs)
            try:
                self._keep(await self._spawn())
            except LauncherError as error:
                self._failures += 1
                logger.error("no warm bot: {}", error)


def backoff_secs(failures: int) -> float:
    """How long to rest before the next bot is forked, after so many failures in a row."""
    return min(FIRST_BACKOFF_SECS * 2 ** (failures - 1), MAX_BACKOFF_SECS)


def _age_secs(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


async def _listens(socket_path: Path, process: BaseProcess) -> None:
    """Returns when the control socket answers; raises `LauncherError` when it does not in time."""
    deadline = time.monotonic() + START_SECS
    while time.monotonic() < deadline and process.is_alive():
        if socket_path.exists():
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_unix_connection(str(socket_path))
                writer.close()
                return
        await asyncio.sleep(0.005)
    if process.is_alive():
        raise LauncherError(f"A bot process did not open its socket within {START_SECS:.0f} s.")
    raise LauncherError(f"A bot process ended as it started (exit code {process.exitcode}).")


async def _takes(bot: LocalBot, body: dict[str, object]) -> bool:
    """Whether the bot takes the session; one that does not is ended."""
    try:
        await bot.request("POST", "/session", body, timeout_secs=TAKE_SECS)
    except (BotGoneError, BotRefusedError):
        logger.error("a waiting bot did not take its session; trying another")
        await bot.kill()
        return False
    except BaseException:
        await bot.kill()
        raise
    return True
