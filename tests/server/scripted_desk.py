"""A desk that answers by script, behind its real client, and the routes that ask it."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from aiohttp import web
from fastapi import APIRouter, FastAPI
from httpx2 import ASGITransport, AsyncClient
from redis.asyncio import Redis

from bot.desk.client import DeskClient
from server import errors
from server.auth.fake import fake_guard
from server.tts.cache import SpeechCache

KEY = "the operator's key"
NO_REDIS = "redis://127.0.0.1:1"


@dataclass
class Answer:
    """Lines of events, or pieces of audio; `status` and an error instead; or an end in the middle."""

    parts: Sequence[dict[str, Any] | bytes] = ()
    status: int = 200
    breaks_off: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class ScriptedDesk:
    """Gives each request the next answer, and keeps what was asked."""

    answers: list[Answer] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Any request."""
        self.asked.append((request.path, dict(request.query), await request.read()))
        assert self.answers, "A request came that no answer was scripted for."
        answer = self.answers.pop(0)
        if answer.status != 200:
            return web.json_response({"title": "Refused", "error": "What to do."}, status=answer.status)
        response = web.StreamResponse(headers=answer.headers)
        await response.prepare(request)
        for part in answer.parts:
            await response.write(part if isinstance(part, bytes) else json.dumps(part).encode() + b"\n")
        if answer.breaks_off:
            raise ConnectionResetError
        await response.write_eof()
        return response


@dataclass
class Service:
    """A client of the routes, and the desk behind them."""

    http: AsyncClient
    desk: ScriptedDesk
    app: FastAPI


@asynccontextmanager
async def served(router: APIRouter, folder: Path, *, redis_url: str = NO_REDIS) -> AsyncIterator[Service]:
    """The routes with a scripted desk; every scripted answer must be asked for."""
    desk = ScriptedDesk()
    web_app = web.Application(client_max_size=2**26)
    web_app.router.add_route("*", "/{path}", desk.answer)
    runner = web.AppRunner(web_app)
    await runner.setup()
    await web.UnixSite(runner, str(folder / "desk.sock")).start()
    client = DeskClient(folder / "desk.sock")
    redis = Redis.from_url(redis_url, decode_responses=True)
    app = FastAPI()
    errors.install(app)
    app.include_router(router)
    app.state.services = SimpleNamespace(
        guard=fake_guard(KEY),
        desk=SimpleNamespace(client=client, able=lambda service: service != "llm"),
        speech_cache=SpeechCache(redis=redis, voice="a voice"),
        processes=[SimpleNamespace(name=name, pid=1) for name in ("speech", "retrieval")],
    )
    headers = {"Authorization": f"Bearer {KEY}"}
    async with AsyncClient(transport=ASGITransport(app), base_url="http://jarvis", headers=headers) as http:
        yield Service(http, desk, app)
    await client.aclose()
    await redis.aclose()
    await runner.cleanup()
    assert desk.answers == []
