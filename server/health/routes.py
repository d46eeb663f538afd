"""`/healthz`: the process lives. `/readyz`: it can take calls."""

import asyncio

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from psycopg import Error as PostgresError
from psycopg_pool import PoolTimeout
from redis.exceptions import RedisError

from server.deps import ServicesDep
from server.resources import Resources

router = APIRouter(tags=["health"])

CHECK_SECS = 2.0
CALLS_GO_WITHOUT = {"redis"}


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Answers while the event loop turns; asks nobody."""
    return {"status": "ok"}


@router.get("/readyz", responses={503: {"description": "a part is down, or the server drains; the body says which"}})
async def readyz(held: ServicesDep) -> JSONResponse:
    """Asks each part that a call needs."""
    postgres, redis = await asyncio.gather(_postgres(held.resources), _redis(held.resources))
    parts = {"postgres": postgres, "redis": redis, **{p.name: p.pid is not None for p in held.processes}}
    draining = held.sessions.draining.is_set()
    ready = not draining and all(up for name, up in parts.items() if name not in CALLS_GO_WITHOUT)
    body = {"ready": ready, "draining": draining, "parts": parts, "live_sessions": len(held.sessions.live)}
    return JSONResponse(body, status_code=200 if ready else 503)


async def _postgres(resources: Resources) -> bool:
    try:
        async with asyncio.timeout(CHECK_SECS), resources.pool.connection(timeout=CHECK_SECS) as connection:
            await resources.pool.check_connection(connection)
    except (PostgresError, PoolTimeout, TimeoutError, OSError):
        return False
    return True


async def _redis(resources: Resources) -> bool:
    try:
        async with asyncio.timeout(CHECK_SECS):
            await resources.redis.ping()  # pyright: ignore[reportGeneralTypeIssues]  (redis types both its clients at once)
    except (RedisError, TimeoutError, OSError):
        return False
    return True
