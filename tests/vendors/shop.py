"""An operator's own service on loopback, for tools: it knows of one order and books repairs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from tests.vendors.http import HttpDouble

TOKEN = "shop-token"


@dataclass(kw_only=True)
class Shop(HttpDouble):
    """`asked` are the paths that it was asked for with its key."""

    asked: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Yield its base URL."""
        routes = [web.get("/orders/{order}", self._order), web.post("/repairs", self._repair)]
        async with self._served(routes) as url:
            yield url.rstrip("/")

    async def _order(self, request: web.Request) -> web.Response:
        self._let_in(request)
        return web.json_response({"order": request.match_info["order"], "state": "ready on Friday"})

    async def _repair(self, request: web.Request) -> web.Response:
        self._let_in(request)
        return web.json_response({"booked": (await request.json())["day"]})

    def _let_in(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise web.HTTPUnauthorized
        self.asked.append(request.path)
