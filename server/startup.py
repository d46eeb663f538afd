"""What the server starts, side by side where it can, and stops again in the other order."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import resources as package_resources
from pathlib import Path

from loguru import logger

from bot.desk.client import DeskClient
from bot.settings import BotSettings
from bot.speech.client import SpeechClient
from knowledge.client import KnowledgeClient
from knowledge.database import Database
from knowledge.gaps import GapStore
from knowledge.jobs import IndexRequest, JobStore
from knowledge.queue import Queue
from knowledge.store import DEFAULT_COLLECTION, Store
from server.auth.guard import Guard
from server.auth.key_desk import KeyDesk
from server.auth.key_ring import KeyRing
from server.auth.key_store import KeyStore
from server.auth.limits import Limits as RequestLimits
from server.auth.operator import OperatorKey
from server.auth.places import Places
from server.auth.tokens import SessionTokens
from server.desk import Desk, desk_process, look_ahead
from server.embedded.leave import leave_command
from server.errors import SetupError
from server.forks import ForkedProcess
from server.ingress.admission import HostMeter, Limits
from server.ingress.budget import BudgetedLauncher, DayBudget
from server.ingress.busy import BusySentence
from server.ingress.casting import Casting
from server.ingress.circuits import Circuits
from server.ingress.launcher import LauncherError
from server.ingress.lines import Lines
from server.ingress.local_launcher import LocalLauncher
from server.ingress.mirror import Mirror
from server.ingress.operations import Operations
from server.ingress.page import Page
from server.ingress.public_calls import PublicCalls
from server.ingress.registry import Registry
from server.ingress.sessions import Sessions
from server.ingress.waiting import WaitingLine
from server.knowledge import ended, indexer, retrieval
from server.metrics.exposition import Metrics
from server.metrics.host import Host
from server.personas import check_voices, shortcomings
from server.processes import SupervisedProcess
from server.records.erasure import Erasure
from server.records.recorder import Recorder
from server.records.retention import Retention
from server.records.store import CallStore
from server.resources import Resources, embedded, open_resources
from server.services import Knowledge, Records, Services
from server.settings import Settings
from server.sql import SERVER
from server.tts.cache import SpeechCache
from server.vocabulary import Vocabulary

SAMPLE_MARK = "sample-indexed"
MOST_RECOGNISERS = 2
# For everyone but a call, which has no time to wait.
SEARCH_SECS = 5.0

Progress = Callable[[str], None]


@asynccontextmanager
async def start(
    settings: Settings, *, page_dist: Path, public_url: str, address: str, metrics: Metrics, progress: Progress
) -> AsyncIterator[Services]:
    """Everything that serves calls at this address, started; stopped again at the end. Raises `SetupError`."""
    page = Page(dist=page_dist, business=settings.business)
    settings.prepare_dirs()
    tokens = SessionTokens(key=settings.signing_key(), max_age_secs=settings.session_token_secs)
    bot_settings = settings.bot_settings()
    personas = settings.known_personas(bot_settings)
    for name, persona in personas.items():
        for limit in shortcomings(persona, bot_settings):
            logger.warning("persona {} {}", name, limit)
    async with AsyncExitStack() as stack:
        launcher = LocalLauncher(
            sockets_dir=settings.bots_dir,
            preload=bot_settings.preload,
            warm_bots=settings.warm_bots,
            memory_limit_mb=settings.bot_memory_limit_mb,
            log=settings.log("bot"),
        )
        stack.push_async_callback(launcher.close)
        speech = _speech(settings, bot_settings)
        stack.push_async_callback(speech.stop)
        answering = desk_process(settings, fork=launcher.fork)
        stack.push_async_callback(answering.stop)
        progress("the databases, the documents, the voice and the first bot")
        async with asyncio.TaskGroup() as group:
            group.create_task(_start_launcher(launcher, answering))
            speaking = group.create_task(speech.start())
            knowing = group.create_task(_start_knowledge(settings, stack, progress))
        resources, knowledge, knowing_processes = knowing.result()
        await speaking
        processes = (speech, answering, *knowing_processes)

        speech_client = SpeechClient(settings.speech_socket)
        stack.push_async_callback(speech_client.aclose)
        await check_voices(personas, speech_client)
        vocabulary = Vocabulary(store=knowledge.store, speech=speech_client, database_url=resources.database_url)
        speech.on_ready.append(vocabulary.changed)
        stack.push_async_callback(vocabulary.stop)
        progress("the words of the documents")
        await vocabulary.start()

        desk_client = DeskClient(settings.desk_socket)
        stack.push_async_callback(desk_client.aclose)
        desk = Desk(client=desk_client, process=answering)
        await stack.enter_async_context(desk.watched())
        await look_ahead(desk_client, bot=bot_settings, redis_url=resources.redis_url)

        registry = Registry(redis=resources.redis)
        mirror, meter = Mirror(registry=registry), HostMeter()
        queue_length = settings.queue_length
        lines = Lines(
            meter=meter,
            mirror=mirror,
            waiting=WaitingLine(redis=resources.redis, length=queue_length) if queue_length else None,
            limits=Limits(
                max_sessions=settings.max_sessions,
                max_cpu_percent=settings.max_cpu_percent,
                bot_memory_mb=settings.bot_memory_mb,
            ),
        )
        records = _records(resources, knowledge, registry)
        await stack.enter_async_context(records.recorder.running())
        circuits = Circuits(redis=resources.redis, tell_desk=desk_client.learn)
        budget = DayBudget(
            redis=resources.redis,
            costs=records.calls,
            cap_usd=settings.budget_day_usd,
            told=metrics.costs.spent_today,
            spent=metrics.costs.spent,
        )
        metrics.costs.caps(call=settings.budget_call_usd, day=settings.budget_day_usd)
        observers = (metrics.calls, circuits, budget)
        sessions = Sessions(
            server_id=secrets.token_hex(4),
            launcher=BudgetedLauncher(launcher, budget=budget),
            registry=registry,
            mirror=mirror,
            lines=lines,
            tokens=tokens,
            casting=Casting(bot_settings.caching(resources.redis_url), personas),
            public_url=public_url,
            observers=(*observers, *((records.recorder,) if settings.keep_calls_days else ())),
        )
        operations = Operations(
            sessions=sessions,
            launcher=launcher,
            registry=registry,
            mirror=mirror,
            lines=lines,
            meter=meter,
            address=address,
        )
        places, key_store = Places(resources.redis), KeyStore(Database(resources.pool, package=SERVER))
        await stack.enter_async_context(places.running())
        limits = RequestLimits(
            redis=resources.redis, places=places, address_per_minute=settings.address_requests_per_minute
        )
        key_ring = KeyRing(key_store)
        stack.push_async_callback(key_ring.close)
        await stack.enter_async_context(metrics.running())
        await stack.enter_async_context(circuits.running(live=lambda: sessions.live))
        await stack.enter_async_context(budget.running(live=lambda: sessions.live))
        await stack.enter_async_context(desk.accounted(budget))
        await stack.enter_async_context(operations.running())
        retention = Retention(
            calls=records.calls, gaps=knowledge.gaps, registry=registry, keep_days=settings.keep_calls_days
        )
        await stack.enter_async_context(retention.running())
        stack.push_async_callback(sessions.close)
        yield Services(
            resources=resources,
            knowledge=knowledge,
            records=records,
            guard=Guard(operator=OperatorKey(settings.operator_key()), keys=key_ring, limits=limits),
            key_desk=KeyDesk(store=key_store, per_minute=settings.key_per_minute, at_once=settings.key_at_once),
            public_calls=PublicCalls(
                who=settings.public_calls,
                limits=limits,
                per_address=settings.public_calls_per_address,
                per_minute=settings.public_calls_per_minute,
                has_line=queue_length > 0,
            ),
            tokens=tokens,
            sessions=sessions,
            operations=operations,
            busy=BusySentence(speech=speech_client),
            drain_secs=settings.drain_secs,
            page=page,
            desk=desk,
            speech_cache=SpeechCache(redis=resources.redis, voice=bot_settings.tts[0].model_dump_json()),
            processes=processes,
            metrics=metrics,
            host=Host(
                sessions=sessions,
                launcher=launcher,
                lines=lines,
                resources=resources,
                processes=processes,
                embedded=embedded(settings),
            ),
        )


def _records(resources: Resources, knowledge: Knowledge, registry: Registry) -> Records:
    calls = CallStore(Database(resources.pool, package=SERVER))
    erasure = Erasure(calls=calls, gaps=knowledge.gaps, registry=registry)
    return Records(calls=calls, erasure=erasure, recorder=Recorder(store=calls))


async def _start_launcher(launcher: LocalLauncher, forked: ForkedProcess) -> None:
    """The bots, and what is forked from their parent."""
    try:
        await launcher.start()
    except LauncherError as error:
        raise SetupError(f"{error} What it said stands above.") from error
    await forked.start()


def _speech(settings: Settings, bot_settings: BotSettings) -> SupervisedProcess:
    wanted = {
        "socket": str(settings.speech_socket),
        "cache_dir": str(settings.data_dir / "speech"),
        "recognisers": min(MOST_RECOGNISERS, os.cpu_count() or 1),
        "engines": bot_settings.engines,
        "log": settings.log("speech").model_dump(),
        # As the first of the processes to run, it clears up after a server that was killed while it started.
        "lingering": {"calls_dir": str(settings.bots_dir), "then": leave_command(settings.data_dir)},
    }
    return SupervisedProcess("speech", module="bot.speech.process", settings=wanted, environment=os.environ)


async def _start_knowledge(
    settings: Settings, stack: AsyncExitStack, progress: Progress
) -> tuple[Resources, Knowledge, tuple[SupervisedProcess, ...]]:
    resources = await stack.enter_async_context(open_resources(settings))
    database = Database(resources.pool)
    await database.migrate()
    await Database(resources.pool, package=SERVER).migrate()
    queue = Queue(app=resources.queue_app, database=database)
    await queue.prepare()
    search = KnowledgeClient(settings.knowledge_socket, timeout_secs=SEARCH_SECS)
    stack.push_async_callback(search.aclose)
    knowledge = Knowledge(
        store=Store(database), jobs=JobStore(database), queue=queue, gaps=GapStore(database), search=search
    )
    await knowledge.store.make_collection(DEFAULT_COLLECTION)
    processes = (indexer(settings, resources.database_url), retrieval(settings, resources.database_url))
    async with asyncio.TaskGroup() as group:
        for process in processes:
            stack.push_async_callback(process.stop)
            group.create_task(process.start())
    await _index_sample(settings, knowledge, progress)
    return resources, knowledge, processes


async def _index_sample(settings: Settings, knowledge: Knowledge, progress: Progress) -> None:
    """Indexes the sample handbook once, where the knowledge is still empty."""
    mark = settings.data_dir / SAMPLE_MARK
    documents, _ = await knowledge.store.count()
    if mark.exists() or documents:
        return
    progress("indexing the sample handbook")
    sample = package_resources.files("evals") / "sample" / "handbook"
    job_id = await knowledge.queue.submit(IndexRequest(paths=(str(sample),)))
    job = await ended(job_id, jobs=knowledge.jobs)
    if job.state == "failed":
        raise SetupError("The sample handbook could not be indexed. `jarvis index` on its folder says why.")
    mark.touch()
    logger.info("the sample handbook is indexed")
