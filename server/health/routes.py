"""`/healthz`: the process lives. `/readyz`: it can take calls."""

import asyncio

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from server.deps import ServicesDep
from server.health.parts import postgres_answers, redis_answers

router = APIRouter(tags=["health"])

CALLS_GO_WITHOUT = {"redis", "desk"}


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Answers while the event loop turns; asks nobody."""
    return {"status": "ok"}


@router.get("/readyz", responses={503: {"description": "a part is down, or the server drains; the body says which"}})
async def readyz(held: ServicesDep) -> JSONResponse:
    """Asks each part that a call needs."""
    postgres, redis = await asyncio.gather(postgres_answers(held.resources), redis_answers(held.resources))
    parts = {"postgres": postgres, "redis": redis, **{p.name: p.pid is not None for p in held.processes}}
    draining = held.sessions.draining.is_set()
    ready = not draining and all(up for name, up in parts.items() if name not in CALLS_GO_WITHOUT)
    body = {"ready": ready, "draining": draining, "parts": parts, "live_sessions": len(held.sessions.live)}
    return JSONResponse(body, status_code=200 if ready else 503)
