"""What can be reached without a token or key is one list, and it is true."""

import contextlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from fastapi.routing import APIRoute, APIWebSocketRoute, RouteContext, iter_route_contexts
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse

from server.app import create_app
from server.auth.fake import fake_guard
from server.auth.principal import SCOPES, Scope
from server.auth.public import PUBLIC_ROUTES
from server.deps import Needs, ending, joining, own_session_id
from server.ingress.audio_routes import caller_token
from server.ingress.eval_routes import eval_call
from tests.server.auth.given import SECRET, api_key, shown

OPERATOR_KEY = "8f14e45fceea167a"
LATELY = datetime.now(UTC) - timedelta(seconds=1)
EXPIRED = api_key("admin", id="eeeeeeeeeeee", expires_at=LATELY)
REVOKED = api_key("admin", id="dddddddddddd", revoked_at=LATELY)
ADMIN = api_key("admin", id="aaaaaaaaaaaa")


def holder_of(*scopes: Scope) -> str:
    """The id of the key that has these scopes alone."""
    return f"{sum(1 << SCOPES.index(scope) for scope in scopes):012x}"


def but(scope: Scope) -> tuple[Scope, ...]:
    """Every other scope that is not all of them."""
    return tuple(each for each in SCOPES if each not in (scope, "admin"))


SINGLE = [api_key(scope, id=holder_of(scope)) for scope in SCOPES]
ALL_BUT = [api_key(*but(scope), id=holder_of(*but(scope))) for scope in SCOPES]


def routes() -> list[tuple[str, str, RouteContext]]:
    """Every (method, path, route) that the server answers; a mount counts as GET, a WebSocket as WS."""
    return [
        (method, str(route.path), route)
        for route in iter_route_contexts(create_app().routes)
        for method in methods(route)
    ]


def methods(route: RouteContext) -> set[str]:
    if isinstance(route.original_route, APIWebSocketRoute):
        return {"WS"}
    return (route.methods or {"GET"}) - {"HEAD", "OPTIONS"}


def asked(route: RouteContext) -> list[object]:
    """What the route depends on, so far as it tells who asks."""
    original = route.original_route
    if not isinstance(original, APIRoute | APIWebSocketRoute):
        return []
    calls = [each.call for each in original.dependant.dependencies]
    doors = (own_session_id, joining, ending, caller_token, eval_call)
    return [call for call in calls if isinstance(call, Needs) or call in doors]


def guarded() -> list[tuple[str, str, Scope]]:
    """Every (method, path, scope) that keys open, and nothing else."""
    return sorted(
        (method, path, call.scope)
        for method, path, route in routes()
        for call in asked(route)
        if isinstance(call, Needs)
    )


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    """Asks a server that knows keys and nothing else."""
    app = create_app()
    app.state.services = SimpleNamespace(guard=fake_guard(OPERATOR_KEY, ADMIN, EXPIRED, REVOKED, *SINGLE, *ALL_BUT))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def ask(client: TestClient, method: str, path: str, sent: str | None) -> tuple[int, dict[str, str], str]:
    """Status, headers and body of the answer; a WebSocket that is opened counts as 101."""
    headers = [] if sent is None else [(b"Authorization", sent.encode())]
    path = re.sub(r"{\w+}", str(uuid4()), path)
    if method == "WS":
        try:
            # Behind the door this server holds nothing, so what stands there fails.
            with (
                contextlib.suppress(AttributeError),
                client.websocket_connect(path, headers=dict(headers)),  # pyright: ignore[reportArgumentType]
            ):
                pass
            return 101, {}, ""
        except WebSocketDenialResponse as denial:
            return denial.status_code, dict(denial.headers), denial.text
    response = client.request(method, path, headers=headers)
    return response.status_code, dict(response.headers), response.text


def test_the_routes_of_every_router_are_walked():
    assert {
        ("POST", "/api/ingress/session/{session_id}/offer"),
        ("DELETE", "/api/rag/documents/{document_id}"),
        ("POST", "/api/rag/search"),
        ("POST", "/api/keys"),
        ("WS", "/api/ingress/audio/ingest"),
        ("WS", "/api/ingress/eval"),
        ("WS", "/api/asr/transcribe/stream"),
    } <= {(method, path) for method, path, _ in routes()}


def test_every_route_asks_for_a_token_or_a_key_or_stands_in_the_list():
    assert {(method, path) for method, path, route in routes() if not asked(route)} == PUBLIC_ROUTES


def test_no_route_asks_twice():
    assert [(method, path) for method, path, route in routes() if len(asked(route)) > 1] == []


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "Bearer",
        "Bearer ",
        f"Basic {OPERATOR_KEY}",
        OPERATOR_KEY,
        "Bearer another",
        f"Bearer {OPERATOR_KEY}x",
        f"Bearer {OPERATOR_KEY[:-1]}",
        "Bearer é",
        f"Bearer {shown(ADMIN)}x",
        f"Bearer {shown(ADMIN, '6' * 64)}",
        f"Bearer jk_ffffffffffff_{SECRET}",
        f"Bearer {shown(EXPIRED)}",
        f"Bearer {shown(REVOKED)}",
    ],
    ids=[
        "none",
        "no key",
        "an empty key",
        "Basic",
        "no scheme",
        "another",
        "longer",
        "shorter",
        "not ASCII",
        "malformed",
        "a wrong secret",
        "unknown",
        "expired",
        "revoked",
    ],
)
@pytest.mark.parametrize(("method", "path", "scope"), guarded())
def test_what_keys_open_is_closed_without_a_good_one(
    client: TestClient, method: str, path: str, scope: Scope, sent: str | None
):
    status, headers, body = ask(client, method, path, sent)
    assert (status, headers["www-authenticate"]) == (401, "Bearer")
    assert headers["content-type"] == "application/problem+json"
    assert OPERATOR_KEY not in body
    assert SECRET not in body


@pytest.mark.parametrize(("method", "path", "scope"), guarded())
def test_a_key_with_every_other_scope_is_told_which_is_missing(
    client: TestClient, method: str, path: str, scope: Scope
):
    key = next(each for each in ALL_BUT if each.id == holder_of(*but(scope)))
    status, headers, body = ask(client, method, path, f"Bearer {shown(key)}")
    assert (status, headers["content-type"]) == (403, "application/problem+json")
    assert f"The scope {scope} is missing" in body


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
@pytest.mark.parametrize(("method", "path", "scope"), guarded())
def test_the_scope_the_admin_and_the_operator_get_past_the_door(
    client: TestClient, method: str, path: str, scope: Scope, scheme: str
):
    single = next(each for each in SINGLE if each.scopes == (scope,))
    for sent in (shown(single), shown(ADMIN), OPERATOR_KEY):
        status, _, _ = ask(client, method, path, f"{scheme} {sent}")
        assert status not in (401, 403)
