"""A bot on loopback, as a harness finds it behind the server's session API and its eval channel."""

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer
from yarl import URL

TOKEN = "secret-token"


def once(answer: str) -> Callable[[int], str | None]:
    """Answers the first text with that, and then nothing."""
    return lambda number: answer if number == 0 else None


class Bot:
    """Greets, where it has a greeting, and answers the texts that it hears by their number, from 0; None is silence.

    `told` goes out before each answer, as a `server-message` of that `type`.
    """

    def __init__(
        self,
        answer: Callable[[int], str | None],
        *,
        greeting: str | None = None,
        told: dict[str, Any] | None = None,
        status: int = 201,
        replies: bool = True,
        ready: bool = True,
        changes: bool = True,
    ) -> None:
        self.created: list[Any] = []
        self.connected: list[str] = []
        self.heard: list[str] = []
        self.changed: list[Any] = []
        self.ended = 0
        self._answer, self._greeting, self._told = answer, greeting, told
        self._status, self._replies, self._ready = status, replies, ready
        self._changes = changes
        app = web.Application()
        app.router.add_post("/api/ingress/session/create", self._create)
        app.router.add_patch("/api/ingress/session/6f1c", self._change)
        app.router.add_delete("/api/ingress/session/6f1c", self._end)
        app.router.add_get("/api/ingress/eval", self._evaluate)
        self.http = TestServer(app, host="127.0.0.1")

    @property
    def url(self) -> str:
        return str(self.http.make_url("")).rstrip("/")

    async def _create(self, request: web.Request) -> web.Response:
        if not self._replies:
            await asyncio.Event().wait()
        self.created.append((await request.json(), request.headers["Authorization"]))
        address = str(URL(self.url).with_scheme("ws").with_user("session").with_password(TOKEN)).rstrip("/")
        body = {"id": "6f1c", "token": TOKEN, "eval_url": f"{address}/api/ingress/eval"}
        return web.json_response(body if self._status == 201 else {"title": "All lines are busy"}, status=self._status)

    async def _change(self, request: web.Request) -> web.Response:
        self.changed.append((await request.json(), request.headers["Authorization"]))
        return web.Response(status=204) if self._changes else web.json_response({"title": "No such voice"}, status=422)

    async def _end(self, request: web.Request) -> web.Response:
        self.ended += 1
        return web.Response(status=204)

    async def _evaluate(self, request: web.Request) -> web.StreamResponse:
        self.connected.append(request.headers["Authorization"])
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            body: Any = message.json() if message.type is WSMsgType.TEXT else {"type": ""}
            if body["type"] == "client-ready" and self._ready:
                await _say(socket, "bot-ready", version="2.0.0")
                await self._speak(socket, self._greeting)
            elif body["type"] == "send-text":
                self.heard.append(body["data"]["content"])
                await self._speak(socket, self._answer(len(self.heard) - 1), told=self._told)
        return socket

    async def _speak(
        self, socket: web.WebSocketResponse, text: str | None, *, told: dict[str, Any] | None = None
    ) -> None:
        if text is None:
            return
        if told is not None:
            await _say(socket, "server-message", **told)
        await _say(socket, "bot-llm-started")
        await _say(socket, "bot-llm-text", text=text)
        await _say(socket, "bot-llm-stopped")


async def _say(socket: web.WebSocketResponse, kind: str, **data: Any) -> None:
    await socket.send_json({"label": "rtvi-ai", "type": kind, "data": data})
