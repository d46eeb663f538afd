"""What can be reached without a token or key is one list, and it is true."""

import re
from collections.abc import Iterator
from types import SimpleNamespace
from uuid import uuid4

import pytest
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from fastapi.testclient import TestClient

from server.app import create_app
from server.auth.operator import OperatorKey
from server.auth.public import PUBLIC_ROUTES
from server.deps import ending, joining, operator, own_session_id

KEY = "8f14e45fceea167a"
ASKERS = (operator, own_session_id, joining, ending)


def routes() -> list[tuple[str, str, RouteContext]]:
    """Every (method, path, route) that the server answers; a mount counts as GET."""
    return [
        (method, str(route.path), route)
        for route in iter_route_contexts(create_app().routes)
        for method in (route.methods or {"GET"}) - {"HEAD", "OPTIONS"}
    ]


def asks(route: RouteContext, *askers: object) -> bool:
    asked = route.original_route
    return isinstance(asked, APIRoute) and any(d.call in askers for d in asked.dependant.dependencies)


def operator_routes() -> list[tuple[str, str]]:
    return sorted((method, path) for method, path, route in routes() if asks(route, operator))


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    """Asks a server that knows its key and nothing else."""
    app = create_app()
    app.state.services = SimpleNamespace(operator=OperatorKey(KEY), knowledge=None)
    with TestClient(app) as client:
        yield client


def test_the_routes_of_every_router_are_walked():
    assert {
        ("POST", "/api/ingress/session/{session_id}/offer"),
        ("DELETE", "/api/rag/documents/{document_id}"),
        ("POST", "/api/rag/search"),
    } <= {(method, path) for method, path, _ in routes()}


def test_every_route_asks_for_a_token_or_a_key_or_stands_in_the_list():
    assert {(m, path) for m, path, route in routes() if not asks(route, *ASKERS)} == PUBLIC_ROUTES


def test_no_route_in_the_list_asks_for_a_token_or_a_key():
    asking = {(m, path) for m, path, route in routes() if asks(route, *ASKERS)}
    assert asking & PUBLIC_ROUTES == set()


@pytest.mark.parametrize(
    "shown",
    [
        None,
        "Bearer",
        "Bearer ",
        f"Basic {KEY}",
        KEY,
        "Bearer another",
        f"Bearer {KEY}x",
        f"Bearer {KEY[:-1]}",
        "Bearer é",
    ],
    ids=["none", "no key", "an empty key", "Basic", "no scheme", "another", "longer", "shorter", "not ASCII"],
)
@pytest.mark.parametrize(("method", "path"), operator_routes())
def test_the_operators_routes_are_closed_without_the_operators_key(
    client: TestClient, method: str, path: str, shown: str | None
):
    headers = [] if shown is None else [(b"Authorization", shown.encode())]
    response = client.request(method, re.sub(r"{\w+}", str(uuid4()), path), headers=headers)
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert response.headers["content-type"] == "application/problem+json"
    assert KEY not in response.text


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_the_operators_key_opens_them(client: TestClient, scheme: str):
    response = client.get("/api/rag/documents/seven", headers={"Authorization": f"{scheme} {KEY}"})
    assert response.status_code == 422
