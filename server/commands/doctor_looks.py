"""What `jarvis doctor` looks at: the host, the databases, the server that runs."""

import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from knowledge.database import Database
from knowledge.errors import KnowledgeError
from server import findings
from server.app import PAGE_DIST
from server.commands.running import NoServerError, one_line, running_server
from server.errors import SetupError
from server.findings import MB, Finding
from server.ingress.container import Container
from server.listener import bound
from server.resources import open_database, open_redis
from server.settings import Settings
from server.sql import SERVER


async def looks(settings: Settings) -> Sequence[Finding]:
    """Everything but settings and providers."""
    server, runs = await _server(settings)
    databases, clocks = await _databases(settings)
    folder = _nearest(settings.data_dir)
    container = Container.found()
    left, quota = container.memory_left(), container.cpu_quota()
    available = psutil.virtual_memory().available
    count = os.cpu_count() or 1
    return [
        _data_dir(settings.data_dir, folder),
        findings.disk(shutil.disk_usage(folder).free // MB, folder=str(folder)),
        findings.memory(min(available, left or available) // MB, settings, runs=runs),
        findings.cores(count if quota is None else min(count, quota.cores)),
        findings.clock(time.time(), built=Path(__file__).stat().st_mtime, elsewhere=clocks),
        *databases,
        _page(),
        *findings.exposure(settings),
        server,
    ]


def _nearest(path: Path) -> Path:
    """The folder itself, or the nearest above it that is there."""
    return next(each for each in (path.resolve(), *path.resolve().parents) if each.exists())


def _data_dir(path: Path, nearest: Path) -> Finding:
    usable = nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
    if usable and path.resolve() == nearest and nearest.stat().st_uid != os.geteuid():
        usable = False
    if not usable:
        remedy = "Run Jarvis as the user that it belongs to, or set JARVIS_DATA_DIR to a folder you own."
        return Finding("error", "data directory", f"{path} can't be used", remedy)
    there = "is there" if path.resolve() == nearest else "can be made"
    return Finding("ok", "data directory", f"{path} {there}")


def _page() -> Finding:
    if (PAGE_DIST / "index.html").exists():
        return Finding("ok", "call page", "is built")
    return Finding("error", "call page", "is not built", "make setup")


async def _databases(settings: Settings) -> tuple[list[Finding], dict[str, float]]:
    """Those that URLs name, and how far their clocks are ahead of this host's, in seconds."""
    found: list[Finding] = []
    clocks: dict[str, float] = {}
    if settings.database_url is None:
        found.append(Finding("ok", "database", "Jarvis runs its own"))
    else:
        try:
            async with open_database(settings) as (_, pool):
                rows = await Database(pool, package=SERVER).read("vector_version")
            found.append(findings.pgvector(rows[0]["version"] if rows else None))
            if rows:
                clocks["the database's clock"] = rows[0]["clock"] - time.time()
        except (SetupError, KnowledgeError) as error:
            found.append(Finding("error", "database", "Postgres does not answer", str(error)))
    if settings.redis_url is None:
        found.append(Finding("ok", "Redis", "Jarvis runs its own"))
    else:
        try:
            async with open_redis(settings.redis_url.get_secret_value()) as redis:
                secs, micros = await redis.time()
            found.append(Finding("ok", "Redis", "answers"))
            clocks["Redis' clock"] = secs + micros / 1e6 - time.time()
        except SetupError as error:
            found.append(Finding("error", "Redis", "does not answer", str(error)))
    return found, clocks


async def _server(settings: Settings) -> tuple[Finding, bool]:
    """Whether one runs; where none does, whether one could."""
    key = settings.data_dir / "operator.key"
    try:
        if key.exists():
            async with running_server(settings, None) as server:
                return Finding("ok", "server", f"runs: {one_line(await server.overview())}"), True
    except NoServerError:
        pass
    except SetupError as error:
        return Finding("warning", "server", "something answers, but not as it should", str(error)), False
    try:
        bound(settings).close()
    except SetupError as error:
        return Finding("error", "port", f"{settings.port} can't be used", str(error)), False
    return Finding("ok", "server", f"none runs; port {settings.port} is free"), False
