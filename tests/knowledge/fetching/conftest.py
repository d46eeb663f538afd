import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from knowledge.fetching.addresses import refusal
from knowledge.fetching.fetcher import Fetcher, Limits
from knowledge.fetching.pace import Pace

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def only_this_server(address: str) -> str | None:
    """The policy of a fetcher that may reach the test's server and, of the rest, only what is public."""
    return None if address == "127.0.0.1" else refusal(address)


class LoopbackSite:
    """A web site on 127.0.0.1 and 127.0.0.2 that answers as told and remembers which paths it was asked for."""

    def __init__(self) -> None:
        self.port = 0
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self._answers: dict[str, Handler] = {}

    def url(self, path: str, *, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def answers(self, path: str, handler: Handler) -> str:
        """Let the handler answer at the path; returns its URL."""
        self._answers[path] = handler
        return self.url(path)

    def serves(
        self, path: str, body: bytes | str, *, content_type: str = "text/html", headers: dict[str, str] | None = None
    ) -> str:
        """Serve the body at the path; returns its URL."""
        content = body.encode() if isinstance(body, str) else body

        async def answer(_: web.Request) -> web.Response:
            return web.Response(body=content, headers={"Content-Type": content_type} | (headers or {}))

        return self.answers(path, answer)

    def redirects(self, path: str, target: str, *, status: int = 302) -> str:
        """Redirect from the path; returns its URL. The connection is closed, so that the next one is a new one."""

        async def answer(_: web.Request) -> web.Response:
            return web.Response(status=status, headers={"Location": target, "Connection": "close"})

        return self.answers(path, answer)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.raw_path)
        self.headers.append(dict(request.headers))
        handler = self._answers.get(request.path)
        return await handler(request) if handler else web.Response(status=404)


class Resolver(AbstractResolver):
    """Gives the answers in turn, the last one for ever, each a list of addresses."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked += 1
        addresses = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in addresses
        ]

    async def close(self) -> None:
        pass


@pytest.fixture
async def site() -> AsyncIterator[LoopbackSite]:
    site = LoopbackSite()
    app = web.Application()
    app.router.add_get("/{path:.*}", site.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    site.port = runner.addresses[0][1]
    await web.TCPSite(runner, "127.0.0.2", site.port).start()
    yield site
    await runner.cleanup()


@pytest.fixture
def limits() -> Limits:
    return Limits()


@pytest.fixture
async def fetcher(site: LoopbackSite, limits: Limits) -> AsyncIterator[Fetcher]:
    """A fetcher that may reach the site on 127.0.0.1, and does not pause."""
    async with Fetcher(
        limits=limits, ports=frozenset({site.port}), pace=Pace(pause_secs=0), address_refusal=only_this_server
    ) as fetcher:
        yield fetcher
