"""The retrieval process: one index and one model for all calls, asked over a unix socket.

`python -m knowledge.process` reads one line of JSON from stdin (`Startup`), prints `ready` when it can answer, and ends
on SIGTERM or when stdin ends, as its parent is then gone; while calls go on it stays, until a successor has taken over.
"""

import asyncio
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from aiohttp import web
from loguru import logger
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel

from knowledge.address import SharedAddress
from knowledge.changes import ChangeWatcher
from knowledge.child import Lingering, run_child, tended
from knowledge.database import Database, migrated, prepare_connection
from knowledge.embedders import Embedder
from knowledge.embedders.settings import EmbedderSettings, MiniLm
from knowledge.errors import EmbeddingError, KnowledgeError
from knowledge.gaps import GapStore
from knowledge.logs import LogSettings
from knowledge.retriever import Retriever
from knowledge.routes import create_app
from knowledge.store import Store
from knowledge.vectors import VectorStore

# A request that is under way when the process ends, or when a successor takes over, gets so long.
SHUTDOWN_SECS = 5.0
CONNECTIONS = 6
# An answer that quotes compares a dozen sentences and more while its caller waits.
THREADS = 2
EMBEDDER_RETRY_SECS = 10.0


class Startup(BaseModel):
    """What the parent says on the first line of stdin."""

    socket: Path
    database_url: str
    models_dir: Path
    lexical_dir: Path
    embedder: EmbedderSettings
    lingering: Lingering | None = None
    log: LogSettings | None = None


class Embedders:
    """The embedders of this process: the configured one, and the local one while the stored vectors are still its."""

    def __init__(self, startup: Startup, stack: AsyncExitStack) -> None:
        self._models_dir = startup.models_dir
        self._settings = {each.model_id: each for each in (MiniLm(), startup.embedder)}
        self._stack = stack
        self._built: dict[str, Embedder] = {}

    async def of(self, model_id: str) -> Embedder | None:
        """Return the embedder of this model; None where nothing is configured for it, or it does not answer now."""
        if model_id in self._settings and model_id not in self._built:
            try:
                embedder = await self._settings[model_id].build(models_dir=self._models_dir, threads=THREADS)
            except EmbeddingError as error:
                logger.error("Questions are not embedded: {}", error)
                return None
            self._stack.push_async_callback(embedder.aclose)
            self._built[model_id] = embedder
        return self._built.get(model_id)


async def serve(startup: Startup) -> None:
    """Answer until cancelled; raises KnowledgeError when the model or the schema cannot be had."""
    async with AsyncExitStack() as stack:
        embedders = Embedders(startup, stack)
        # Built while the database may still be empty, so that the first document does not wait for it.
        await embedders.of(startup.embedder.model_id)
        pool = await stack.enter_async_context(
            AsyncConnectionPool(
                startup.database_url,
                min_size=2,
                max_size=CONNECTIONS,
                open=False,
                configure=prepare_connection,
            )
        )
        database = Database(pool)
        store = Store(database)
        retriever = Retriever(
            store=store,
            vectors=VectorStore(database),
            embedder_of=embedders.of,
            lexical_dir=startup.lexical_dir,
        )
        application = create_app(retriever=retriever, store=store, gaps=GapStore(database))
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_SECS)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await migrated(database)
        watcher = ChangeWatcher(database_url=startup.database_url, refresh=retriever.refresh)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(watcher.run())
            await watcher.refreshed.wait()
            # The first search pays for what later ones find warm, so no caller should ask it.
            with suppress(KnowledgeError):
                await retriever.search("ready")
            address = SharedAddress(startup.socket)
            await web.SockSite(runner, address.bind()).start()
            stack.callback(address.close)
            address.publish()
            tasks.create_task(tended(address))
            print("ready", flush=True)
            while True:
                await asyncio.sleep(EMBEDDER_RETRY_SECS)
                with suppress(KnowledgeError):
                    await retriever.use_current_model()


if __name__ == "__main__":
    run_child(serve, Startup)
