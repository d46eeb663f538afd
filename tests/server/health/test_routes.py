"""`/healthz` and `/readyz`: alive, and which part is down."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import psycopg_pool
import pytest
from httpx2 import ASGITransport, AsyncClient
from redis.asyncio import Redis

from server.app import create_app

pytestmark = pytest.mark.integration

NO_REDIS = "redis://127.0.0.1:1"
NO_POSTGRES = "postgresql://127.0.0.1:1/nobody"


@pytest.fixture
async def ready(request: pytest.FixtureRequest, database_url: str, redis_url: str) -> AsyncIterator[Any]:
    """Asks a server for `/readyz`, with the parts that the test's parameter replaces."""
    parts: dict[str, Any] = {"postgres": database_url, "redis": redis_url, "speech": 1, "draining": False}
    parts |= request.param
    redis = Redis.from_url(parts["redis"])
    app = create_app()
    draining = asyncio.Event()
    if parts["draining"]:
        draining.set()
    async with psycopg_pool.AsyncConnectionPool(
        parts["postgres"], min_size=0, max_size=1, open=False, timeout=2, reconnect_timeout=0.1
    ) as pool:
        app.state.services = SimpleNamespace(
            resources=SimpleNamespace(pool=pool, redis=redis),
            sessions=SimpleNamespace(live=("a", "b", "c"), draining=draining),
            processes=(SimpleNamespace(name="speech", pid=parts["speech"]),),
        )
        async with AsyncClient(transport=ASGITransport(app), base_url="http://jarvis") as http:
            yield await http.get("/readyz")
    await redis.aclose()


@pytest.mark.parametrize("ready", [{}], indirect=True)
async def test_a_server_whose_parts_all_answer_is_ready(ready: Any):
    parts = {"postgres": True, "redis": True, "speech": True}
    expected = {"ready": True, "draining": False, "parts": parts, "live_sessions": 3}
    assert (ready.status_code, ready.json()) == (200, expected)


@pytest.mark.parametrize("ready", [{"draining": True}], indirect=True)
async def test_a_server_that_drains_is_not_ready(ready: Any):
    assert (ready.status_code, ready.json()["ready"], ready.json()["draining"]) == (503, False, True)


@pytest.mark.parametrize("ready", [{"redis": NO_REDIS}], indirect=True)
async def test_a_server_without_redis_still_takes_calls(ready: Any):
    assert (ready.status_code, ready.json()["parts"]["redis"]) == (200, False)


@pytest.mark.parametrize(
    ("ready", "part"),
    [({"postgres": NO_POSTGRES}, "postgres"), ({"speech": None}, "speech")],
    indirect=["ready"],
    ids=["postgres", "speech"],
)
async def test_a_part_that_is_down_is_named(ready: Any, part: str):
    assert ready.status_code == 503
    assert [name for name, up in ready.json()["parts"].items() if not up] == [part]
