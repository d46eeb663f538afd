"""The retrieval process: one index and one model for all calls, asked over a unix socket.

`python -m knowledge.process` reads one line of JSON from stdin, `{"socket": path, "database_url": url, "models_dir":
path}`, prints `ready` when it can answer, and ends on SIGTERM or when stdin ends, as its parent is then gone.
"""

import asyncio
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

from aiohttp import web
from loguru import logger
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel, ValidationError

from knowledge.changes import RETRY_SECS, ChangeWatcher
from knowledge.embedders.minilm import MiniLmEmbedder, ensure_built
from knowledge.errors import KnowledgeError, KnowledgeUnavailableError
from knowledge.retriever import Retriever
from knowledge.routes import create_app
from knowledge.store import Store

SHUTDOWN_SECS = 1.0
CONNECTIONS = 4


class Startup(BaseModel):
    """What the parent says on the first line of stdin."""

    socket: Path
    database_url: str
    models_dir: Path


async def serve(startup: Startup) -> None:
    """Answer until cancelled; raises KnowledgeError when the model or the schema cannot be had."""
    await ensure_built(startup.models_dir)
    embedder = MiniLmEmbedder(models_dir=startup.models_dir)
    async with AsyncConnectionPool(
        startup.database_url, min_size=1, max_size=CONNECTIONS, open=False, check=AsyncConnectionPool.check_connection
    ) as pool:
        store = Store(pool)
        retriever = Retriever(store=store, embedder=embedder)
        runner = web.AppRunner(
            create_app(retriever=retriever, store=store), access_log=None, shutdown_timeout=SHUTDOWN_SECS
        )
        await runner.setup()
        try:
            await web.SockSite(runner, _listen_on(startup.socket)).start()
            await _migrate(store)
            watcher = ChangeWatcher(database_url=startup.database_url, refresh=retriever.refresh)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(watcher.run())
                await watcher.refreshed.wait()
                # The first search pays for what later ones find warm, so no caller should ask it.
                with suppress(KnowledgeUnavailableError):
                    await retriever.search("ready")
                print("ready", flush=True)
        finally:
            await runner.cleanup()
            startup.socket.unlink(missing_ok=True)


async def run() -> None:
    """Serve what stdin says until SIGTERM or the end of stdin; raises KnowledgeError or ValidationError."""
    loop = asyncio.get_running_loop()
    stdin = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    startup = Startup.model_validate_json(await stdin.readline())
    terminated = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, terminated.set)
    serving = asyncio.create_task(serve(startup))
    endings = [asyncio.create_task(terminated.wait()), asyncio.create_task(stdin.read())]
    await asyncio.wait([serving, *endings], return_when=asyncio.FIRST_COMPLETED)
    for task in (*endings, serving):
        task.cancel()
    try:
        await serving
    except asyncio.CancelledError:
        logger.info("The retrieval process ends")


async def _migrate(store: Store) -> None:
    while True:
        try:
            return await store.migrate()
        except KnowledgeUnavailableError:
            logger.warning("The knowledge database is not there; trying again every {} s", RETRY_SECS)
            await asyncio.sleep(RETRY_SECS)


def _listen_on(path: Path) -> socket.socket:
    """Bind a unix socket that only this user may open, in place of one that a dead process left."""
    if path.is_socket():
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    others_mask = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(others_mask)
    return listener


def main() -> None:
    """Run, and end with a sentence on stderr when it cannot."""
    try:
        asyncio.run(run())
    except ValidationError:
        sys.exit('The first line of stdin must be {"socket": path, "database_url": url, "models_dir": path}.')
    except KnowledgeError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
