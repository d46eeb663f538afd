"""HTTP requests by route, method and status."""

from collections.abc import Iterator

import pytest
from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import StreamingResponse
from fastapi.staticfiles import StaticFiles
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry

from server.app import create_app
from server.metrics.requests import RequestMetrics, request_seconds, template_of, templates


def app_of(registry: CollectorRegistry) -> FastAPI:
    """An app whose router is included below a prefix, as Jarvis' are."""
    router = APIRouter(prefix="/things")

    @router.get("/{thing_id}")
    async def read(thing_id: str) -> str:
        return thing_id

    @router.get("/{thing_id}/sound")
    async def sound(thing_id: str) -> Response:
        return StreamingResponse(iter([b"a", b"b"]))

    @router.post("/{thing_id}")
    async def fail(thing_id: str) -> str:
        raise RuntimeError(thing_id)

    outer = APIRouter(prefix="/api")
    outer.include_router(router)
    app = FastAPI()
    app.include_router(outer)
    app.mount("/assets", StaticFiles(directory=".", check_dir=False))
    app.add_middleware(RequestMetrics, seconds=request_seconds(registry))

    @app.websocket("/ws")
    async def talk(websocket: object) -> None:
        raise AssertionError("nobody talks here")

    return app


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def client(registry: CollectorRegistry) -> Iterator[TestClient]:
    with TestClient(app_of(registry), raise_server_exceptions=False) as client:
        yield client


def counted(registry: CollectorRegistry) -> dict[tuple[str, str, str], float]:
    return {
        (sample.labels["route"], sample.labels["method"], sample.labels["status"]): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name.endswith("_count")
    }


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/api/things/77", ("/api/things/{thing_id}", "GET", "200")),
        ("GET", "/api/things/77/sound", ("/api/things/{thing_id}/sound", "GET", "200")),
        ("POST", "/api/things/77", ("/api/things/{thing_id}", "POST", "500")),
        ("DELETE", "/api/things/77", ("/api/things/{thing_id}", "DELETE", "405")),
        ("GET", "/nothing/77", ("unmatched", "GET", "404")),
        ("GET", "/assets/nothing.js", ("/assets", "GET", "404")),
        ("FROBNICATE", "/nothing", ("unmatched", "other", "404")),
        ("GET", "/ws", ("unmatched", "GET", "404")),
    ],
)
def test_a_request_is_measured_by_its_routes_template(
    client: TestClient, registry: CollectorRegistry, method: str, path: str, expected: tuple[str, str, str]
):
    client.request(method, path)
    assert counted(registry) == {expected: 1}


def test_whoever_makes_up_paths_makes_up_no_label(client: TestClient, registry: CollectorRegistry):
    for number in range(50):
        client.get(f"/api/things/{number}")
        client.get(f"/made/up/{number}")
    assert len(counted(registry)) == 2


def test_jarvis_own_routes_are_found_as_they_are_documented():
    found = templates(create_app())
    paths = {each.path for each in found}
    assert {"/healthz", "/api/ingress/session/{session_id}", "/api/rag/search", "/metrics"} <= paths
    assert template_of("/api/rag/search", "POST", found) == "/api/rag/search"
    assert template_of("/call/assets/page.js", "GET", found) == "/call/assets"
    assert template_of("/call/a.token", "GET", found) == "/call/{token}"
