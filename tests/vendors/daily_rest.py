"""A server on loopback that speaks Daily's REST API, rooms and meeting tokens, and fails when told to."""

import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from tests.vendors.http import HttpDouble

KEY = "daily-test"
DOMAIN = "jarvis-test"
ERRORS = {
    400: "invalid-request-error",
    401: "authentication-error",
    404: "not-found",
    429: "rate-limit-error",
    500: "server-error",
}


@dataclass(kw_only=True)
class DailyREST(HttpDouble):
    """Keeps the rooms that were made, by name; `tokens` are the properties of each meeting token.

    A room with `sip` in its properties is told where calls are sent to, as `config.sip_uri`; one whose `exp` is over is
    not found any more.
    """

    rooms: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Yield the URL of the API."""
        routes = [
            web.post("/v1/rooms", self._create),
            web.get("/v1/rooms/{name}", self._get),
            web.delete("/v1/rooms/{name}", self._delete),
            web.post("/v1/meeting-tokens", self._token),
        ]
        async with self._served(routes, path="/v1") as url:
            yield url

    async def _create(self, request: web.Request) -> web.Response:
        if refused := await self._refused(request):
            return refused
        body = await request.json()
        name = body.get("name") or uuid.uuid4().hex[:20]
        if self._room(name):
            return _error(400, f"a room named {name} already exists")
        config = dict(body.get("properties", {}))
        if config.get("exp") is not None and config["exp"] <= time.time():
            return _error(400, f"invalid room exp: {config['exp']} is in the past")
        if "sip" in config:
            config["sip_uri"] = {"endpoint": f"{uuid.uuid4().hex[:12]}.0@{DOMAIN}.sip.signalwire.com"}
        self.rooms[name] = {
            "id": str(uuid.uuid4()),
            "name": name,
            "api_created": True,
            "privacy": body.get("privacy", "public"),
            "url": f"https://{DOMAIN}.daily.co/{name}",
            "created_at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "config": config,
        }
        return web.json_response(self.rooms[name])

    async def _get(self, request: web.Request) -> web.Response:
        if refused := await self._refused(request):
            return refused
        room = self._room(request.match_info["name"])
        return web.json_response(room) if room else _missing(request.match_info["name"])

    async def _delete(self, request: web.Request) -> web.Response:
        if refused := await self._refused(request):
            return refused
        name = request.match_info["name"]
        if not self._room(name):
            return _missing(name)
        del self.rooms[name]
        return web.json_response({"deleted": True, "name": name})

    async def _token(self, request: web.Request) -> web.Response:
        if refused := await self._refused(request):
            return refused
        properties = (await request.json()).get("properties", {})
        name = properties.get("room_name")
        if name is not None and not self._room(name):
            return _error(400, f"room {name} does not exist")
        token = f"token-{uuid.uuid4().hex}"
        self.tokens[token] = properties
        return web.json_response({"token": token})

    async def _refused(self, request: web.Request) -> web.Response | None:
        """The answer to a request that gets no good one."""
        fault = self.faults.next()
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            fault = "unauthorized"
        await self.faults.first()
        return await self._failed(request, fault, _error)

    def _room(self, name: str) -> dict[str, Any] | None:
        room = self.rooms.get(name)
        return None if room is None or (room["config"].get("exp") or time.time() + 1) <= time.time() else room


def _error(status: int, info: str = "") -> web.Response:
    return web.json_response({"error": ERRORS[status], "info": info or ERRORS[status]}, status=status)


def _missing(name: str) -> web.Response:
    return _error(404, f"room {name} not found")
