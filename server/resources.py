"""The connections: the one place that opens them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import psycopg
from procrastinate import App
from procrastinate.exceptions import ConnectorException
from psycopg_pool import AsyncConnectionPool, PoolTimeout
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from knowledge.database import prepare_connection
from knowledge.queue import queue_app
from server.embedded.errors import EmbeddedServiceError
from server.embedded.postgres import EmbeddedPostgres
from server.embedded.redis import EmbeddedRedis
from server.embedded.service import EmbeddedService
from server.errors import SetupError
from server.settings import Settings

CONNECT_SECS = 10.0
REDIS_SECS = 2.0


@dataclass(frozen=True, slots=True)
class Resources:
    """What the server is connected to."""

    database_url: str
    pool: AsyncConnectionPool
    queue_app: App
    redis: Redis
    redis_url: str


@asynccontextmanager
async def open_resources(settings: Settings) -> AsyncIterator[Resources]:
    """Postgres and Redis, started here where no URL names them; raises `SetupError`."""
    async with AsyncExitStack() as stack:
        database_url, redis_url = await asyncio.gather(_database_url(settings, stack), _redis_url(settings, stack))
        pool = await stack.enter_async_context(_pool(database_url))
        redis = _redis(redis_url)
        stack.push_async_callback(redis.aclose)
        try:
            await redis.ping()  # pyright: ignore[reportGeneralTypeIssues]  (redis types both its clients at once)
        except (RedisError, OSError) as error:
            raise SetupError("Redis does not answer. Check REDIS_URL, or unset it to use the embedded one.") from error
        app = await stack.enter_async_context(open_queue_app(database_url))
        yield Resources(database_url=database_url, pool=pool, queue_app=app, redis=redis, redis_url=redis_url)


def embedded(settings: Settings) -> tuple[EmbeddedService, ...]:
    """The databases that no URL names, so that they are children of Jarvis'."""
    postgres = () if settings.database_url else (EmbeddedPostgres(settings.data_dir),)
    redis = () if settings.redis_url else (EmbeddedRedis(settings.data_dir),)
    return (*postgres, *redis)


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[tuple[str, AsyncConnectionPool]]:
    """Postgres alone, for the command line: (URL, pool); raises `SetupError`."""
    async with AsyncExitStack() as stack:
        database_url = await _database_url(settings, stack)
        yield database_url, await stack.enter_async_context(_pool(database_url))


@asynccontextmanager
async def open_redis(redis_url: str) -> AsyncIterator[Redis]:
    """Redis alone, which answers; raises `SetupError`."""
    redis = _redis(redis_url)
    try:
        await redis.ping()  # pyright: ignore[reportGeneralTypeIssues]  (redis types both its clients at once)
        yield redis
    except (RedisError, OSError) as error:
        raise SetupError("Redis does not answer. Check REDIS_URL, or unset it to use the embedded one.") from error
    finally:
        await redis.aclose()


@asynccontextmanager
async def open_queue_app(database_url: str) -> AsyncIterator[App]:
    """The queue of indexing jobs; raises `SetupError`."""
    try:
        async with queue_app(database_url).open_async() as app:
            yield app
    except (ConnectorException, PoolTimeout) as error:
        raise SetupError(
            "Postgres does not answer. Check DATABASE_URL, or unset it to use the embedded one."
        ) from error


def _redis(redis_url: str) -> Redis:
    try:
        return Redis.from_url(
            redis_url,
            decode_responses=True,
            socket_timeout=REDIS_SECS,
            socket_connect_timeout=REDIS_SECS,
            retry=Retry(NoBackoff(), 1),
        )
    except ValueError as error:
        raise SetupError(
            "That is no Redis address. Check REDIS_URL (redis://host:6379), or unset it to use the embedded one."
        ) from error


@asynccontextmanager
async def _pool(database_url: str) -> AsyncIterator[AsyncConnectionPool]:
    pool: AsyncConnectionPool = AsyncConnectionPool(
        database_url,
        min_size=1,
        max_size=8,
        open=False,
        timeout=CONNECT_SECS,
        configure=prepare_connection,
        kwargs={"connect_timeout": 5},
    )
    try:
        await pool.open(wait=True, timeout=CONNECT_SECS)
    except (PoolTimeout, psycopg.Error) as error:
        await pool.close()
        raise SetupError(
            "Postgres does not answer. Check DATABASE_URL, or unset it to use the embedded one."
        ) from error
    try:
        yield pool
    finally:
        await pool.close()


async def _database_url(settings: Settings, stack: AsyncExitStack) -> str:
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    postgres = EmbeddedPostgres(settings.data_dir)
    try:
        url = await postgres.start()
    except EmbeddedServiceError as error:
        raise SetupError(str(error)) from error
    stack.push_async_callback(postgres.stop)
    _keep(postgres, stack)
    return url


async def _redis_url(settings: Settings, stack: AsyncExitStack) -> str:
    if settings.redis_url is not None:
        return settings.redis_url.get_secret_value()
    redis = EmbeddedRedis(settings.data_dir)
    try:
        url = await redis.start()
    except EmbeddedServiceError as error:
        raise SetupError(str(error)) from error
    stack.push_async_callback(redis.stop)
    _keep(redis, stack)
    return url


def _keep(service: EmbeddedService, stack: AsyncExitStack) -> None:
    """Watches over the service until the stack is left."""
    keeping = asyncio.create_task(service.keep(), name=f"keep-{service.name}")

    async def stop() -> None:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)

    stack.push_async_callback(stop)
