"""A bot that is a process of this host: its control socket, and its end."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import struct
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
from loguru import logger

from server.ingress.launcher import BotGoneError, BotRefusedError
from server.ingress.local_audio import LocalAudioLine

CONTROL_SECS = 10.0
SILENT_SECS = 5.0
END_SECS = 5.0
TERM_SECS = 3.0
ATTACH_SECS = 1.0
PING_SECS = 1.0


class LocalBot:
    """A bot process, whoever started it: known by its socket, held by a descriptor that never means another process."""

    def __init__(self, *, pid: int, socket_path: Path):
        self.id = socket_path.stem
        self.pid = pid
        self._socket_path = socket_path
        self._ended = asyncio.Event()
        self._pidfd: int | None = None
        try:
            self._pidfd = os.pidfd_open(pid)
        except ProcessLookupError:
            self._ended.set()
        else:
            asyncio.get_running_loop().add_reader(self._pidfd, self._note_end)
        self._http = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(str(socket_path)),
            base_url="http://bot",
            timeout=aiohttp.ClientTimeout(total=CONTROL_SECS),
        )

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return not self._ended.is_set()

    async def request(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, timeout_secs: float = CONTROL_SECS
    ) -> dict[str, Any]:
        """One control request; raises `BotRefusedError` or `BotGoneError`."""
        timeout = aiohttp.ClientTimeout(total=timeout_secs)
        http = self._connection()
        try:
            async with http.request(method, path, json=body, timeout=timeout) as response:
                answer = await response.json() if response.content_type == "application/json" else {}
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise BotGoneError(f"bot {self.id} does not answer") from error
        if response.status >= 400:
            raise BotRefusedError(response.status, str(answer.get("error", "refused")))
        return answer

    async def audio(self, pc_id: str) -> LocalAudioLine:
        """The websocket of the caller who was answered so; raises `BotRefusedError` or `BotGoneError`."""
        return await LocalAudioLine.opened(self._connection(), pc_id=pc_id)

    async def ping(self) -> None:
        """Returns within a second where the bot answers; raises `BotGoneError`."""
        await self.request("GET", "/session", timeout_secs=PING_SECS)

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """What happens in the call; ends with the bot. A bot that is silent for 5 s is stalled: `BotGoneError`."""
        timeout = aiohttp.ClientTimeout(total=None, sock_read=SILENT_SECS)
        try:
            async with self._http.get("/events", timeout=timeout) as response:
                if response.status >= 400:
                    raise BotRefusedError(response.status, "another server listens")
                async for line in response.content:
                    yield json.loads(line)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise BotGoneError(f"bot {self.id} went silent") from error

    async def stop(self) -> None:
        """Waits for the bot's own end for a moment, then TERM, then KILL; no socket stays."""
        for number, patience in ((None, END_SECS), (signal.SIGTERM, TERM_SECS), (signal.SIGKILL, TERM_SECS)):
            if not self.alive:
                break
            if number is not None:
                logger.warning("bot {} did not end; sending {}", self.id, number.name)
                self._signal(number)
            await self._wait(patience)
        await self._release()

    async def kill(self) -> None:
        """Ends the process at once."""
        self._signal(signal.SIGKILL)
        await self._wait(TERM_SECS)
        await self._release()

    async def detach(self) -> None:
        """Lets go of the process, which goes on."""
        self._forget()
        await self._http.close()

    def _connection(self) -> aiohttp.ClientSession:
        """What leads to the bot; raises `BotGoneError` where it was let go of, as when it died while somebody asked."""
        if self._http.closed:
            raise BotGoneError(f"bot {self.id} was let go of")
        return self._http

    def _signal(self, number: signal.Signals) -> None:
        if self._pidfd is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    async def _wait(self, patience: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), patience)

    async def _release(self) -> None:
        self._forget()
        await self._http.close()
        if not self.alive:
            self._socket_path.unlink(missing_ok=True)

    def _note_end(self) -> None:
        self._ended.set()
        self._forget()

    def _forget(self) -> None:
        if self._pidfd is not None:
            asyncio.get_running_loop().remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = None


async def attached(socket_path: Path) -> LocalBot | None:
    """The bot that listens at this socket; None where nobody does any more."""
    pid = await asyncio.to_thread(_listener, socket_path)
    return None if pid is None else LocalBot(pid=pid, socket_path=socket_path)


def _listener(socket_path: Path) -> int | None:
    """The process that listens at this socket, as the kernel knows it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(ATTACH_SECS)
        try:
            client.connect(str(socket_path))
        except OSError:
            return None
        credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return struct.unpack("3i", credentials)[0]
