"""Whether the databases answer."""

import asyncio

from psycopg import Error as PostgresError
from psycopg_pool import PoolTimeout
from redis.exceptions import RedisError

from server.resources import Resources

CHECK_SECS = 2.0


async def postgres_answers(resources: Resources) -> bool:
    """Whether Postgres answers within two seconds."""
    try:
        async with asyncio.timeout(CHECK_SECS), resources.pool.connection(timeout=CHECK_SECS) as connection:
            await resources.pool.check_connection(connection)
    except (PostgresError, PoolTimeout, TimeoutError, OSError):
        return False
    return True


async def redis_answers(resources: Resources) -> bool:
    """Whether Redis answers within two seconds."""
    try:
        async with asyncio.timeout(CHECK_SECS):
            await resources.redis.ping()  # pyright: ignore[reportGeneralTypeIssues]  (redis types both its clients at once)
    except (RedisError, TimeoutError, OSError):
        return False
    return True
