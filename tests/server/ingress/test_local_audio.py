"""The server's end of a websocket to a bot of this host."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from server.ingress.launcher import BotGoneError, BotRefusedError, Closed
from server.ingress.local_audio import LocalAudioLine

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def bot(answer: Answer) -> AsyncIterator[aiohttp.ClientSession]:
    """A bot's control socket that answers `/audio` so, and a session to it."""
    app = web.Application()
    app.router.add_get("/audio", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder) / "bot.sock"
        await web.UnixSite(runner, str(socket)).start()
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(socket)), base_url="http://bot") as http:
            yield http
        await runner.cleanup()


def speaking(speak: Callable[[web.WebSocketResponse, web.Request], Awaitable[object]]) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await speak(socket, request)
        return socket

    return answer


async def test_messages_go_both_ways_and_the_end_is_told_with_its_reason():
    async def speak(socket: web.WebSocketResponse, request: web.Request) -> None:
        await socket.send_str(request.query["pc_id"])
        await socket.send_bytes((await socket.receive_bytes())[::-1])
        await socket.close(code=1001, message=b"shutdown")

    async with bot(speaking(speak)) as http:
        line = await LocalAudioLine.opened(http, pc_id="ws-1")
        assert await line.receive() == "ws-1"
        await line.send(b"abc")
        assert await line.receive() == b"cba"
        assert await line.receive() == Closed(1001, "shutdown")


async def test_the_bot_is_told_why_it_is_left():
    codes: asyncio.Queue[int | None] = asyncio.Queue()

    async def speak(socket: web.WebSocketResponse, _request: web.Request) -> None:
        await socket.receive()
        codes.put_nowait(socket.close_code)

    async with bot(speaking(speak)) as http:
        line = await LocalAudioLine.opened(http, pc_id="ws-1")
        await line.close(Closed(4499))
        assert await codes.get() == 4499


async def test_a_bot_that_dies_is_told_as_broken():
    async def speak(socket: web.WebSocketResponse, request: web.Request) -> None:
        assert request.transport is not None
        request.transport.abort()
        await socket.receive()

    async with bot(speaking(speak)) as http:
        line = await LocalAudioLine.opened(http, pc_id="ws-1")
        assert await line.receive() == Closed(1006)


async def test_a_bot_that_refuses_says_with_which_status():
    async def refuse(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"error": "no"}, status=422)

    async with bot(refuse) as http:
        with pytest.raises(BotRefusedError) as refusal:
            await LocalAudioLine.opened(http, pc_id="ws-1")
    assert refusal.value.status == 422


async def test_a_bot_that_is_gone_is_told_so():
    async with aiohttp.ClientSession(
        connector=aiohttp.UnixConnector("/nowhere/bot.sock"), base_url="http://bot"
    ) as http:
        with pytest.raises(BotGoneError):
            await LocalAudioLine.opened(http, pc_id="ws-1")
