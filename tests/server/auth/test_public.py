"""What can be reached without a token is one list, and it is true."""

from fastapi.routing import APIRoute
from starlette.routing import Mount, Route

from server.app import create_app
from server.auth.public import PUBLIC_ROUTES
from server.deps import own_session_id


def routes() -> list[tuple[str, str, object]]:
    """Every (method, path, route) that the server answers; a mount counts as GET."""
    found: list[tuple[str, str, object]] = []
    for route in create_app().routes:
        if isinstance(route, Mount):
            found.append(("GET", route.path, route))
        elif isinstance(route, Route):
            found.extend((m, route.path, route) for m in (route.methods or {"GET"}) - {"HEAD", "OPTIONS"})
    return found


def asks_for_a_token(route: object) -> bool:
    return isinstance(route, APIRoute) and any(d.call is own_session_id for d in route.dependant.dependencies)


def test_every_route_asks_for_a_token_or_stands_in_the_list():
    assert {(m, path) for m, path, route in routes() if not asks_for_a_token(route)} == PUBLIC_ROUTES


def test_no_route_in_the_list_asks_for_a_token():
    assert [(m, path) for m, path, route in routes() if asks_for_a_token(route) and (m, path) in PUBLIC_ROUTES] == []
