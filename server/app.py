"""The server: what it starts, in which order, and the routes it serves."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import resources as package_resources
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from loguru import logger

from bot.speech.client import SpeechClient
from knowledge.client import KnowledgeClient
from knowledge.store import Store
from server import errors
from server.auth.tokens import SessionTokens
from server.errors import SetupError
from server.health import routes as health
from server.ingress import page_routes, routes
from server.ingress.launcher import LauncherError, LocalLauncher
from server.ingress.page import Page
from server.ingress.registry import Registry
from server.ingress.sessions import Sessions
from server.processes import SupervisedProcess
from server.resources import open_resources
from server.services import Services
from server.settings import Settings
from server.vocabulary import Vocabulary

PAGE_DIST = Path(__file__).parent.parent / "web" / "dist"
SAMPLE_MARK = "sample-indexed"

Progress = Callable[[str], None]


def create_app() -> FastAPI:
    """The routes; `app.state.services` must be set before the first request."""
    app = FastAPI(
        title="Jarvis",
        description="A self-hosted voice assistant that answers calls from your own documents.",
        version="0.1.0",
        redoc_url=None,
    )
    errors.install(app)
    app.include_router(routes.router)
    app.include_router(health.router)
    app.include_router(page_routes.router)
    app.mount("/call/assets", StaticFiles(directory=PAGE_DIST / "assets", check_dir=False), name="assets")
    return app


@asynccontextmanager
async def start(settings: Settings, *, public_url: str, progress: Progress) -> AsyncIterator[Services]:
    """Everything that serves calls, started; all of it stopped again at the end. Raises `SetupError`."""
    call_page = Page(dist=PAGE_DIST, business=settings.business)
    settings.prepare_dirs()
    tokens = SessionTokens(key=settings.signing_key(), max_age_secs=settings.session_token_secs)
    async with AsyncExitStack() as stack:
        bot_settings = settings.bot_settings()
        launcher = LocalLauncher(
            sockets_dir=settings.run_dir / "bots",
            preload=bot_settings.preload,
            warm_bots=settings.warm_bots,
            bot_memory_mb=settings.bot_memory_mb,
        )
        stack.push_async_callback(launcher.close)
        speech = _process(
            "speech", "bot.speech.process", socket=str(settings.speech_socket),
            cache_dir=str(settings.data_dir / "speech"), recognisers=min(2, os.cpu_count() or 1),
        )  # fmt: skip
        stack.push_async_callback(speech.stop)
        progress("starting Postgres, Redis, the voice and the first bot")
        async with asyncio.TaskGroup() as group:
            group.create_task(_start_launcher(launcher))
            group.create_task(speech.start())
            opened = group.create_task(stack.enter_async_context(open_resources(settings)))
        resources = opened.result()

        store = Store(resources.pool)
        await store.migrate()
        await _index_sample(settings, store, progress)
        progress("loading the documents")
        retrieval = _process(
            "retrieval", "knowledge.process", socket=str(settings.knowledge_socket),
            database_url=resources.database_url, models_dir=str(settings.models_dir),
        )  # fmt: skip
        stack.push_async_callback(retrieval.stop)
        await retrieval.start()
        knowledge = KnowledgeClient(settings.knowledge_socket)
        stack.push_async_callback(knowledge.aclose)

        speech_client = SpeechClient(settings.speech_socket)
        stack.push_async_callback(speech_client.aclose)
        vocabulary = Vocabulary(store=store, speech=speech_client, database_url=resources.database_url)
        speech.on_ready.append(vocabulary.changed)
        stack.push_async_callback(vocabulary.stop)
        await vocabulary.start()

        sessions = Sessions(
            launcher=launcher,
            registry=Registry(redis=resources.redis),
            tokens=tokens,
            settings=bot_settings,
            public_url=public_url,
            max_sessions=settings.max_sessions,
        )
        stack.push_async_callback(sessions.close)
        yield Services(
            resources=resources,
            tokens=tokens,
            sessions=sessions,
            knowledge=knowledge,
            page=call_page,
            processes=(speech, retrieval),
        )


def _process(name: str, module: str, **settings: str | int) -> SupervisedProcess:
    return SupervisedProcess(name, module=module, settings=settings, environment=os.environ)


async def _start_launcher(launcher: LocalLauncher) -> None:
    try:
        await launcher.start()
    except LauncherError as error:
        raise SetupError(f"{error} What it said stands above.") from error


async def _index_sample(settings: Settings, store: Store, progress: Progress) -> None:
    """Indexes the sample handbook once, in a process of its own, where the knowledge is still empty."""
    mark = settings.data_dir / SAMPLE_MARK
    documents, _ = await store.count()
    if mark.exists() or documents:
        return
    progress("indexing the sample handbook")
    sample = package_resources.files("evals") / "sample" / "handbook"
    indexer = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "server", "index", "--quiet", str(sample), stdin=asyncio.subprocess.DEVNULL,
        env={**os.environ, "JARVIS_DATA_DIR": str(settings.data_dir), **_database_environment(settings)},
    )  # fmt: skip
    if await indexer.wait() != 0:
        raise SetupError("The sample handbook could not be indexed. What the indexer said stands above.")
    mark.touch()
    logger.info("the sample handbook is indexed")


def _database_environment(settings: Settings) -> dict[str, str]:
    return {} if settings.database_url is None else {"DATABASE_URL": settings.database_url.get_secret_value()}
