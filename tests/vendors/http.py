"""What doubles that speak HTTP have in common: how they are served, and how they fail whatever they are asked."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.vendors.faults import Fault, Faults

STATUSES: dict[Fault, int] = {"unauthorized": 401, "rate_limited": 429, "server_error": 500}

# A refusal in the vendor's words.
Refusal = Callable[[int], web.Response]


@dataclass(kw_only=True)
class HttpDouble:
    """A vendor's HTTP interface on loopback."""

    faults: Faults = field(default_factory=Faults)
    _ended: asyncio.Event = field(default_factory=asyncio.Event, init=False, repr=False)

    @asynccontextmanager
    async def _served(self, routes: Iterable[web.RouteDef], *, path: str = "/") -> AsyncIterator[str]:
        app = web.Application()
        app.add_routes(routes)
        self._ended = asyncio.Event()
        async with TestServer(app, host="127.0.0.1") as server:
            try:
                yield str(server.make_url(path))
            finally:
                # Whoever stalls is let go, or the server would wait for them.
                self._ended.set()

    async def _failed(self, request: web.Request, fault: Fault | None, refusal: Refusal) -> web.Response | None:
        """The answer to a request that gets no good one; None where it may get one."""
        match fault:
            case "refuse":
                abort(request)
                return web.Response()
            case "stall" | "half_open":
                await self._ended.wait()
                return web.Response()
            case "unauthorized" | "rate_limited" | "server_error":
                response = refusal(STATUSES[fault])
                if fault == "rate_limited":
                    response.headers["Retry-After"] = self.faults.retry_after
                return response
            case "garbage":
                return web.Response(text="<html>Bad gateway</html>", content_type="text/html")
        return None

    async def _cut(self, request: web.Request, fault: Fault | None) -> bool:
        """Whether an answer ends here, where half of it is sent: stands still, or loses its connection."""
        if fault == "stall_midway":
            await self._ended.wait()
        elif fault == "drop":
            abort(request)
        return fault in ("stall_midway", "drop")


def abort(request: web.Request) -> None:
    """Loses the connection without a word."""
    if request.transport is not None:
        request.transport.abort()
