"""What can be reached without a token is one list, and it is true."""

from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from server.app import create_app
from server.auth.public import PUBLIC_ROUTES
from server.deps import own_session_id


def routes() -> list[tuple[str, str, RouteContext]]:
    """Every (method, path, route) that the server answers; a mount counts as GET."""
    return [
        (method, str(route.path), route)
        for route in iter_route_contexts(create_app().routes)
        for method in (route.methods or {"GET"}) - {"HEAD", "OPTIONS"}
    ]


def asks_for_a_token(route: RouteContext) -> bool:
    asked = route.original_route
    return isinstance(asked, APIRoute) and any(d.call is own_session_id for d in asked.dependant.dependencies)


def test_the_routes_of_every_router_are_walked():
    assert ("POST", "/api/ingress/session/{session_id}/offer") in {(m, path) for m, path, _ in routes()}


def test_every_route_asks_for_a_token_or_stands_in_the_list():
    assert {(m, path) for m, path, route in routes() if not asks_for_a_token(route)} == PUBLIC_ROUTES


def test_no_route_in_the_list_asks_for_a_token():
    assert [(m, path) for m, path, route in routes() if asks_for_a_token(route) and (m, path) in PUBLIC_ROUTES] == []
