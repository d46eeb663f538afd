"""HTTP requests by route, method and status. A route is its template, so that no id and no token is in a label."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from prometheus_client import CollectorRegistry, Histogram
from starlette.routing import Mount, compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED = "unmatched"
OTHER = "other"
FAILED = 500


@dataclass(frozen=True, slots=True)
class Template:
    """A route as it is shown; a mount takes any method."""

    path: str
    matches: re.Pattern[str]
    methods: frozenset[str] | None


class RequestMetrics:
    """ASGI middleware that measures each request from its arrival to the end of its answer; websockets pass by."""

    def __init__(self, app: ASGIApp, *, seconds: Histogram):
        self._app = app
        self._templates: Sequence[Template] | None = None
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, and measures it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._templates is None:
            self._templates = templates(scope["app"])
        # Read before: a mount changes the scope.
        method, route = scope["method"], template_of(scope["path"], scope["method"], self._templates)
        status = FAILED
        began = time.perf_counter()

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            labels = (route, method if method in METHODS else OTHER, str(status))
            self._seconds.labels(*labels).observe(time.perf_counter() - began)


def request_seconds(registry: CollectorRegistry) -> Histogram:
    """What requests are measured in."""
    return Histogram(
        "jarvis_http_request_duration_seconds",
        "HTTP requests to the server, streams until their end",
        ["route", "method", "status"],
        buckets=BUCKETS,
        registry=registry,
    )


def templates(app: FastAPI) -> Sequence[Template]:
    """The routes of the app, in the order in which they are tried."""
    found = []
    for route in iter_route_contexts(app.routes):
        path = str(route.path)
        if isinstance(route.original_route, Mount):
            found.append(Template(path, re.compile(re.escape(path) + "(/|$)"), None))
        elif route.methods is not None:  # a websocket has none
            found.append(Template(path, compile_path(path)[0], frozenset(route.methods)))
    return found


def template_of(path: str, method: str, among: Sequence[Template]) -> str:
    """The route that answers; where there is none for the method, the one that refuses it."""
    matching = [template for template in among if template.matches.match(path)]
    for template in matching:
        if template.methods is None or method in template.methods:
            return template.path
    return matching[0].path if matching else UNMATCHED
